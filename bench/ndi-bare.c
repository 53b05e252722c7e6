/* ndi-bare.c - the least that receiving NDI can cost: libndi captures and frees, nobody looks. Arguments: address, seconds
 * of a round, libndi's color format. A sample is the process's CPU time by picture, all of libndi's threads included. */
#include "program.h"
#include <dlfcn.h>
#include <sys/resource.h>

typedef struct ndi_source { const char *name, *address; } ndi_source;
typedef struct ndi_receiver_settings {
  ndi_source source;
  int32_t color_format, bandwidth;
  uint8_t allow_fields;
  const char *name;
} ndi_receiver_settings;
STREAMEM__ASSERT(settings_bytes, sizeof(ndi_receiver_settings) == 40);
typedef union ndi_frame { uint64_t words[9]; } ndi_frame; /* the largest is of video, 72 bytes */

static int (*initialize)(void);
static void *(*create)(const ndi_receiver_settings *);
static void (*connect_to)(void *, const ndi_source *);
static int (*capture)(void *, ndi_frame *, ndi_frame *, ndi_frame *, uint32_t);
static void (*free_video)(void *, ndi_frame *);
static void (*free_audio)(void *, ndi_frame *);
static void (*free_metadata)(void *, ndi_frame *);

static void *receiver;
static ndi_source source;
static uint64_t round_ns;
static int uyvy;

static void *symbol(void *library, const char *name) {
  void *found = dlsym(library, name);
  if (!found) bench_die(name, dlerror());
  return found;
}

static void load(void) {
  char path[4096];
  const char *folder = getenv("NDI_RUNTIME_DIR_V6");
  snprintf(path, sizeof path, "%s%slibndi.so.6", folder ? folder : "", folder ? "/" : "");
  void *library = dlopen(path, RTLD_NOW);
  if (!library) bench_die(path, dlerror());
  initialize = (int (*)(void))symbol(library, "NDIlib_initialize");
  create = (void *(*)(const ndi_receiver_settings *))symbol(library, "NDIlib_recv_create_v3");
  connect_to = (void (*)(void *, const ndi_source *))symbol(library, "NDIlib_recv_connect");
  capture = (int (*)(void *, ndi_frame *, ndi_frame *, ndi_frame *, uint32_t))symbol(library, "NDIlib_recv_capture_v3");
  free_video = (void (*)(void *, ndi_frame *))symbol(library, "NDIlib_recv_free_video_v2");
  free_audio = (void (*)(void *, ndi_frame *))symbol(library, "NDIlib_recv_free_audio_v3");
  free_metadata = (void (*)(void *, ndi_frame *))symbol(library, "NDIlib_recv_free_metadata");
}

static double cpu_ns(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e9 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e3;
}

/* Pictures until `until`. */
static uint32_t pictures(uint64_t until) {
  ndi_frame video, audio, metadata;
  uint32_t count = 0;
  while (streamem_now_ns() < until) {
    switch (capture(receiver, &video, &audio, &metadata, 50)) {
      case 1: free_video(receiver, &video); count++; break;
      case 2: free_audio(receiver, &audio); break;
      case 3: free_metadata(receiver, &metadata); break;
    }
  }
  return count;
}

static void one_round(void) {
  connect_to(receiver, &source);
  pictures(streamem_now_ns() + 1000000000ull);
  double before = cpu_ns();
  uint32_t count = pictures(streamem_now_ns() + round_ns);
  double used = cpu_ns() - before;
  connect_to(receiver, NULL);
  if (!count) bench_die("capture", "no picture came");
  if (uyvy) bench_add("CPU time of a 1080p60 picture", "capture and free, UYVY", "", used / count);
  else bench_add("CPU time of a 1080p60 picture", "capture and free, BGRX", "", used / count);
}

int main(int count, char **words) {
  if (count != 4) bench_die("ndi-bare", "address, seconds and color format are missing");
  load();
  if (!initialize()) bench_die("NDIlib_initialize", "not on this processor");
  source.address = words[1];
  round_ns = (uint64_t)(atof(words[2]) * 1e9);
  ndi_receiver_settings settings = {{NULL, NULL}, atoi(words[3]), 100, 0, "bare"};
  uyvy = settings.color_format != 0;
  receiver = create(&settings);
  if (!receiver) bench_die("NDIlib_recv_create_v3", "no receiver");
  bench_rounds(one_round);
  return 0;
}
