/*
 * A link of set rate, delay and loss between two network namespaces, for kernels without netem.
 *
 *   wan-link NAMESPACE_A NAMESPACE_B MBIT_PER_S ONE_WAY_MS LOSS_PERCENT QUEUE_MS SECONDS
 *
 * Opens the TUN device "wan" in each namespace (a path like /proc/1234/ns/net) and carries IP packets both ways. A packet waits until
 * those before it have gone at the line's rate (38 bytes of Ethernet framing included), is dropped where that wait would be longer than the
 * queue, or by chance, and arrives one delay later. One thread a direction, asleep in ppoll until a packet comes or is due. Says "ready";
 * ends after SECONDS at the latest, and with the process that started it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { packet_bytes_max = 1600, packets_max = 16384, framing_bytes = 38, reads_at_once = 64 };

struct packet {
  uint64_t due;
  int length;
  unsigned char bytes[packet_bytes_max];
};

/* A ring of packets in the order in which they are due: the rate and the delay are the same for all. */
struct direction {
  int from, to;
  uint64_t line_free_at;
  uint64_t chance;
  unsigned first, last;
  struct packet *packets;
};

static double ns_per_byte;
static uint64_t delay_ns, queue_ns, loss_of_2_32;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* splitmix64: the same losses in every run. */
static uint32_t draw(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (uint32_t)(z >> 32);
}

static int open_tun(const char *namespace_path) {
  int space = open(namespace_path, O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET) < 0) fail(namespace_path);
  close(space);
  int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tun < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strcpy(request.ifr_name, "wan");
  if (ioctl(tun, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
  return tun;
}

static int take(struct direction *way) {
  struct packet *packet = &way->packets[way->last % packets_max];
  ssize_t length = read(way->from, packet->bytes, packet_bytes_max);
  if (length <= 0) return 0;
  uint64_t at = now();
  if (way->line_free_at < at) way->line_free_at = at;
  if (way->line_free_at - at > queue_ns || way->last - way->first == packets_max - 1) return 1;
  way->line_free_at += (uint64_t)((double)(length + framing_bytes) * ns_per_byte);
  if (draw(&way->chance) < loss_of_2_32) return 1;
  packet->due = way->line_free_at + delay_ns;
  packet->length = (int)length;
  way->last++;
  return 1;
}

static void *carry(void *argument) {
  struct direction *way = argument;
  for (;;) {
    uint64_t at = now();
    while (way->first != way->last && way->packets[way->first % packets_max].due <= at) {
      struct packet *packet = &way->packets[way->first++ % packets_max];
      if (write(way->to, packet->bytes, (size_t)packet->length) < 0) continue; /* as a full device does: lost */
    }
    int reads = 0;
    while (reads < reads_at_once && take(way)) reads++;
    if (reads == reads_at_once) continue;
    at = now();
    uint64_t wait = 1000000000u;
    if (way->first != way->last) {
      uint64_t due = way->packets[way->first % packets_max].due;
      wait = due > at ? due - at : 0;
      /* Packets that are due within 200 us of each other go together: a wake-up each would be what is measured. */
      if (wait > 0 && wait < 200000) wait = 200000;
    }
    struct timespec until = {.tv_sec = (time_t)(wait / 1000000000u), .tv_nsec = (long)(wait % 1000000000u)};
    struct pollfd readable = {.fd = way->from, .events = POLLIN};
    if (wait > 0) ppoll(&readable, 1, &until, NULL);
  }
  return NULL;
}

int main(int count, char **words) {
  if (count != 8) {
    fprintf(stderr, "usage: wan-link NAMESPACE_A NAMESPACE_B MBIT_PER_S ONE_WAY_MS LOSS_PERCENT QUEUE_MS SECONDS\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  ns_per_byte = 8000.0 / atof(words[3]);
  delay_ns = (uint64_t)(atof(words[4]) * 1e6);
  loss_of_2_32 = (uint64_t)(atof(words[5]) / 100 * 4294967296.0);
  queue_ns = (uint64_t)(atof(words[6]) * 1e6);
  int ends[2] = {open_tun(words[1]), open_tun(words[2])};
  static struct direction ways[2];
  for (int i = 0; i < 2; i++) {
    ways[i] = (struct direction){.from = ends[i], .to = ends[1 - i], .chance = (uint64_t)i + 7};
    ways[i].packets = calloc(packets_max, sizeof(struct packet));
    if (ways[i].packets == NULL) fail("calloc");
    pthread_t thread;
    if (pthread_create(&thread, NULL, carry, &ways[i]) != 0) fail("pthread_create");
  }
  puts("ready");
  fflush(stdout);
  alarm((unsigned)atoi(words[7]));
  for (;;) pause();
}
