/* A writer that does what it is told, a line at a time:
 *
 *   writer PREFIX NAME [slots N] [bytes N] [bell PATH] [group GID]
 *
 * Says "trying", then "ready <generation>" or "error <errno> <words>". Then:
 *   publish N   N frames of the pattern as fast as it can        -> "sequence S", or "error <errno> publish"
 *   run US      a frame every US microseconds (0: full rate) until the next line -> "sequence S" on that line
 *   fork        a child that does nothing but live               -> "child <pid>", then "child says <result of its publish>"
 *   renew       a new generation                                 -> "generation <hex>", or "error <errno> <words>"
 *   cycle N     dies without a word and takes over N times       -> "refused R"
 *   close       ends it; so does the end of the input            -> "closed" */
#include "../shim.c"
#include "pattern.h"

static streamem_writer *writer;
static streamem_bell *bell;
static streamem_spec spec;
static const char *bell_path;

static void say_error(const streamem_error *error) { printf("error %d %s\n", error->code, error->text); }

static void say_generation(const char *word) {
  char hex[33];
  streamem__hex(hex, writer->generation, 16);
  printf("%s %s\n", word, hex);
}

static int start(streamem_error *error) {
  int result = streamem_create(&writer, &spec, error);
  if (result >= 0 && bell_path && (result = streamem_bell_start(&bell, writer, bell_path, spec.group, error)) < 0) streamem_writer_close(writer);
  return result;
}

static void end(void) {
  streamem_bell_stop(bell, 1);
  streamem_writer_close(writer);
  bell = NULL;
}

/* What the kernel does to a writer that is killed: it lets go of everything, the files stay. */
static void die(void) {
  streamem_bell_stop(bell, 0);
  streamem__writers_remove(writer);
  close(writer->lock_fd);
  streamem__let_go(writer);
  free(writer);
  bell = NULL;
}

/* A ring with less room than the pattern wants gets frames of one word. */
static int publish_one(void) {
  uint64_t sequence = writer->sequence + 1, word = pattern_word(sequence, 0);
  if (spec.payload_capacity >= PATTERN_BYTES_MAX) return pattern_publish(writer, sequence);
  return streamem_publish(writer, &word, sizeof word, NULL, NULL);
}

static void publish(uint64_t frames) {
  for (uint64_t i = 0; i < frames; i++) {
    int result = publish_one();
    if (result < 0) {
      printf("error %d publish\n", -result);
      return;
    }
  }
  printf("sequence %llu\n", (unsigned long long)writer->sequence);
}

static void run(uint64_t pause_us) {
  struct pollfd input = {0, POLLIN, 0};
  uint64_t next = streamem_now_ns();
  for (uint64_t i = 1;; i++) {
    if (publish_one() < 0) break;
    if ((pause_us || i % 64 == 0) && poll(&input, 1, 0) > 0) break;
    next += pause_us * 1000;
    /* One look at the clock: a second one may be past `next`, and the difference 584 years. */
    for (uint64_t now; pause_us && (now = streamem_now_ns()) < next;) streamem__sleep_ns(next - now);
  }
}

static void branch(void) {
  int ends[2];
  char result[16] = "";
  if (pipe(ends) != 0) return;
  pid_t child = fork();
  if (child == 0) {
    int length = snprintf(result, sizeof result, "%d", publish_one());
    if (write(ends[1], result, (size_t)length) != length) _exit(1);
    for (int fd = 0; fd < 3; fd++) close(fd); /* whoever reads our output must not wait for this one */
    for (;;) pause();
  }
  close(ends[1]);
  if (read(ends[0], result, sizeof result - 1) < 0) result[0] = 0;
  printf("child %d\nchild says %s\n", (int)child, result);
  close(ends[0]);
}

static void renew(void) {
  streamem_error error;
  streamem_bell_stop(bell, 0);
  bell = NULL;
  int result = streamem_renew(writer, &spec, &error);
  if (result >= 0 && bell_path) result = streamem_bell_start(&bell, writer, bell_path, spec.group, &error);
  if (result < 0) say_error(&error);
  else say_generation("generation");
}

static void cycle(uint64_t times) {
  streamem_error error;
  uint64_t refused = 0;
  for (uint64_t i = 0; i < times; i++) {
    die();
    while (start(&error) < 0) refused++;
  }
  printf("refused %llu\n", (unsigned long long)refused);
}

static void listen_to(const char *line) {
  uint64_t number = strtoull(line + strcspn(line, " "), NULL, 10);
  if (strncmp(line, "publish", 7) == 0) publish(number);
  else if (strncmp(line, "run", 3) == 0) run(number);
  else if (strncmp(line, "cycle", 5) == 0) cycle(number);
  else if (strncmp(line, "fork", 4) == 0) branch();
  else if (strncmp(line, "renew", 5) == 0) renew();
  else printf("sequence %llu\n", (unsigned long long)writer->sequence);
}

int main(int count, char **arguments) {
  char line[128];
  streamem_error error;
  if (count < 3) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  setvbuf(stdin, NULL, _IONBF, 0); /* poll must see what getline has not taken */
  pattern_spec(&spec, arguments[1], arguments[2], 4);
  for (int i = 3; i + 1 < count; i += 2) {
    if (strcmp(arguments[i], "slots") == 0) spec.slot_count = (uint32_t)strtoul(arguments[i + 1], NULL, 10);
    if (strcmp(arguments[i], "bytes") == 0) spec.payload_capacity = strtoull(arguments[i + 1], NULL, 10);
    if (strcmp(arguments[i], "group") == 0) spec.group = (uint32_t)strtoul(arguments[i + 1], NULL, 10);
    if (strcmp(arguments[i], "bell") == 0) spec.wake_path = bell_path = arguments[i + 1];
  }
  printf("trying\n");
  if (start(&error) < 0) {
    say_error(&error);
    return 1;
  }
  say_generation("ready");
  while (fgets(line, sizeof line, stdin) && strncmp(line, "close", 5) != 0) listen_to(line);
  end();
  printf("closed\n");
  return 0;
}
