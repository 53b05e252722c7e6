/* Publishes JSON messages, ten a second: publish NAME [COUNT]. cc -I.. publish.c -o publish -pthread */
#include "streamem_message.h"

int main(int count, char **words) {
  streamem_writer *writer;
  streamem_error error;
  char message[32];
  if (count < 2 || count > 3) return fprintf(stderr, "usage: publish NAME [COUNT]\n"), 2;
  if (streamem_create_messages(&writer, NULL, words[1], "json", 0, &error) < 0) return fprintf(stderr, "%s\n", error.text), 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int n = 1, most = count > 2 ? atoi(words[2]) : 10; n <= most; n++) {
    int bytes = snprintf(message, sizeof message, "{\"n\": %d}", n);
    if (streamem_publish_message(writer, message, (uint64_t)bytes, NULL) < 0) return fprintf(stderr, "the message was not published\n"), 1;
    printf("published %d\n", n);
    streamem__sleep_ns(100000000);
  }
  streamem_writer_close(writer);
  return 0;
}
