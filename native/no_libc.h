/* Declarations of the libc calls that the shim uses, for a machine with no compiler and no libc headers (the plain Bun
 * container image): there Bun's own TinyCC compiles the shim against this file. x86-64 Linux only, glibc and musl;
 * every struct is the kernel's. With a system compiler this file is not read. */
#ifndef STREAMEM_NO_LIBC_H
#define STREAMEM_NO_LIBC_H

typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t;
typedef long intptr_t;
typedef unsigned long size_t;
typedef long ssize_t;
typedef long off_t;
typedef long time_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef unsigned int mode_t;
typedef unsigned int socklen_t;
typedef int pid_t;
typedef unsigned long pthread_t;
typedef struct FILE FILE;
typedef struct DIR DIR;

#define NULL ((void *)0)
#define offsetof(type, member) ((size_t)&((type *)0)->member)

/* memory and text */
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void free(void *memory);
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);
char *strcpy(char *to, const char *from);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);
char *strstr(const char *text, const char *part);
size_t strspn(const char *text, const char *set);
size_t strcspn(const char *text, const char *set);
char *strpbrk(const char *text, const char *set);
int strncmp(const char *a, const char *b, size_t bytes);
char *strerror(int number);
unsigned long strtoul(const char *text, char **end, int base);
unsigned long long strtoull(const char *text, char **end, int base);
double strtod(const char *text, char **end);
char *getenv(const char *name);
int snprintf(char *to, size_t bytes, const char *format, ...);
FILE *fopen(const char *path, const char *mode);
char *fgets(char *to, int bytes, FILE *file);
int fclose(FILE *file);

/* errno */
int *__errno_location(void);
#define errno (*__errno_location())
#define EPERM 1
#define ENOENT 2
#define EINTR 4
#define EIO 5
#define EAGAIN 11
#define ENOMEM 12
#define EACCES 13
#define EBUSY 16
#define EINVAL 22
#define ENOSPC 28
#define EPIPE 32
#define ERANGE 34
#define ENAMETOOLONG 36
#define E2BIG 7
#define EBADMSG 74
#define EPROTO 71
#define EMSGSIZE 90
#define ECONNREFUSED 111
#define EALREADY 114
#define ESTALE 116

/* time */
struct timespec { time_t tv_sec; long tv_nsec; };
struct timeval { time_t tv_sec; long tv_usec; };
struct itimerspec { struct timespec it_interval, it_value; };
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
int clock_gettime(int clock, struct timespec *time);
int nanosleep(const struct timespec *time, struct timespec *left);
int timerfd_create(int clock, int flags);
int timerfd_settime(int fd, int flags, const struct itimerspec *time, struct itimerspec *before);
#define TFD_CLOEXEC 02000000
#define TFD_NONBLOCK 04000

/* files */
struct stat { /* the kernel's; both libcs use it as it is */
  unsigned long st_dev, st_ino, st_nlink;
  unsigned int st_mode, st_uid, st_gid, pad_;
  unsigned long st_rdev;
  long st_size, st_blksize, st_blocks;
  struct timespec st_atim, st_mtim, st_ctim;
  long reserved_[3];
};
struct statvfs { unsigned long f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, rest_[32]; };
struct flock { short l_type, l_whence; off_t l_start, l_len; pid_t l_pid; };
struct dirent { unsigned long d_ino; long d_off; unsigned short d_reclen; unsigned char d_type; char d_name[256]; };
#define O_RDONLY 0
#define O_RDWR 2
#define O_CREAT 0100
#define O_EXCL 0200
#define O_NONBLOCK 04000
#define O_NOFOLLOW 0400000
#define O_CLOEXEC 02000000
#define SEEK_SET 0
#define S_ISREG(mode) (((mode) & 0170000) == 0100000)
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
#define F_DUPFD_CLOEXEC 1030
#define MAP_FAILED ((void *)-1)
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_SHARED 1
int open(const char *path, int flags, ...);
int close(int fd);
ssize_t read(int fd, void *to, size_t bytes);
ssize_t write(int fd, const void *from, size_t bytes);
ssize_t pread(int fd, void *to, size_t bytes, off_t at);
ssize_t pwrite(int fd, const void *from, size_t bytes, off_t at);
int fcntl(int fd, int command, ...);
int rename(const char *from, const char *to);
int unlink(const char *path);
int chmod(const char *path, mode_t mode);
int fchmod(int fd, mode_t mode);
int chown(const char *path, uid_t uid, gid_t gid);
int fchown(int fd, uid_t uid, gid_t gid);
int pipe2(int ends[2], int flags);
int posix_fallocate(int fd, off_t at, off_t bytes);
int statvfs(const char *path, struct statvfs *status);
DIR *opendir(const char *path);
struct dirent *readdir(DIR *folder);
int closedir(DIR *folder);
void *mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int munmap(void *at, size_t bytes);
int madvise(void *at, size_t bytes, int advice);
ssize_t getrandom(void *to, size_t bytes, unsigned flags);

/* processes */
long syscall(long number, ...);
pid_t getpid(void);
pid_t getppid(void);
uid_t geteuid(void);
int kill(pid_t pid, int signal);
void _exit(int code);
#define SYS_fstat 5
#define SYS_lstat 6
#define SYS_futex 202
#define SIGTERM 15
/* older glibc has no fstat and lstat symbols */
static inline int fstat(int fd, struct stat *status) { return (int)syscall(SYS_fstat, fd, status); }
static inline int lstat(const char *path, struct stat *status) { return (int)syscall(SYS_lstat, path, status); }

/* threads and signals; the libcs' own types are no larger than these */
typedef struct { unsigned long words[16]; } sigset_t;
typedef union { unsigned long words[8]; } pthread_mutex_t;
typedef union { unsigned long words[8]; } pthread_cond_t;
#define PTHREAD_MUTEX_INITIALIZER {{0}}
#define SIG_SETMASK 2
int sigfillset(sigset_t *set);
int pthread_sigmask(int how, const sigset_t *set, sigset_t *before);
int pthread_create(pthread_t *thread, const void *attributes, void *(*run)(void *), void *argument);
int pthread_join(pthread_t thread, void **result);
int pthread_detach(pthread_t thread);
/* glibc has no such symbol in its shared library; and Bun, the only program this ends up in, never forks without exec */
static inline int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) { return 0; }
int pthread_mutex_init(pthread_mutex_t *mutex, const void *attributes);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_mutex_destroy(pthread_mutex_t *mutex);
int pthread_cond_init(pthread_cond_t *condition, const void *attributes);
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int pthread_cond_signal(pthread_cond_t *condition);
int pthread_cond_destroy(pthread_cond_t *condition);

/* waiting */
struct pollfd { int fd; short events, revents; };
struct epoll_event { uint32_t events; union { void *ptr; int fd; uint64_t u64; } data; } __attribute__((packed));
#define POLLIN 1
#define EPOLLIN 1
#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CLOEXEC 02000000
#define EFD_CLOEXEC 02000000
#define EFD_NONBLOCK 04000
int poll(struct pollfd *fds, unsigned long count, int timeout_ms);
int epoll_create1(int flags);
int epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
int eventfd(unsigned initial, int flags);

/* sockets */
struct sockaddr { unsigned short sa_family; char sa_data[14]; };
struct sockaddr_un { unsigned short sun_family; char sun_path[108]; };
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr { void *msg_name; socklen_t msg_namelen; struct iovec *msg_iov; size_t msg_iovlen; void *msg_control; size_t msg_controllen; int msg_flags; };
struct cmsghdr { size_t cmsg_len; int cmsg_level, cmsg_type; };
struct ucred { pid_t pid; uid_t uid; gid_t gid; };
#define AF_UNIX 1
#define SOCK_STREAM 1
#define SOCK_SEQPACKET 5
#define SOCK_NONBLOCK 04000
#define SOCK_CLOEXEC 02000000
#define SOL_SOCKET 1
#define SO_PEERCRED 17
#define SO_RCVTIMEO 20
#define SO_SNDTIMEO 21
#define SCM_RIGHTS 1
#define SHUT_RD 0
#define SHUT_RDWR 2
#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000
#define CMSG_ALIGN(bytes) (((bytes) + 7) & ~7ul)
#define CMSG_LEN(bytes) (CMSG_ALIGN(sizeof(struct cmsghdr)) + (bytes))
#define CMSG_SPACE(bytes) (CMSG_ALIGN(sizeof(struct cmsghdr)) + CMSG_ALIGN(bytes))
#define CMSG_DATA(c) ((unsigned char *)((struct cmsghdr *)(c) + 1))
#define CMSG_FIRSTHDR(m) ((m)->msg_controllen >= sizeof(struct cmsghdr) ? (struct cmsghdr *)(m)->msg_control : (struct cmsghdr *)0)
int socket(int family, int type, int protocol);
int connect(int fd, const struct sockaddr *address, socklen_t bytes);
int bind(int fd, const struct sockaddr *address, socklen_t bytes);
int listen(int fd, int backlog);
int accept4(int fd, struct sockaddr *address, socklen_t *bytes, int flags);
int socketpair(int domain, int type, int protocol, int ends[2]);
int shutdown(int fd, int how);
int setsockopt(int fd, int level, int name, const void *value, socklen_t bytes);
int getsockopt(int fd, int level, int name, void *value, socklen_t *bytes);
ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t recvmsg(int fd, struct msghdr *message, int flags);
ssize_t recv(int fd, void *to, size_t bytes, int flags);
ssize_t send(int fd, const void *from, size_t bytes, int flags);

#endif
