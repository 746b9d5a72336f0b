/* What kernels call of LLVM's OpenMP runtime, on POSIX threads: Debian has libomp for the machine at hand alone. A team
 * has OMP_NUM_THREADS threads; a static schedule gives each a run of iterations. */
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

enum { MOST_THREADS = 64, MOST_SHARED = 4, STATIC_SCHEDULE = 34 };
typedef void Body(int32_t *global, int32_t *local, void *, void *, void *, void *);

static _Thread_local int32_t number;
static _Thread_local int32_t team = 1;
static pthread_barrier_t barrier;

struct Task {
  Body *body;
  void *shared[MOST_SHARED];
  int32_t number, team;
};

int32_t omp_get_max_threads(void) {
  const char *wanted = getenv("OMP_NUM_THREADS");
  int threads = wanted ? atoi(wanted) : 1;
  return threads < 1 ? 1 : threads > MOST_THREADS ? MOST_THREADS : threads;
}

int32_t omp_get_thread_num(void) { return number; }
int32_t omp_get_num_threads(void) { return team; }
int32_t __kmpc_global_thread_num(void *place) { return number; }
void __kmpc_barrier(void *place, int32_t global) {
  if (team > 1)
    pthread_barrier_wait(&barrier);
}

static void *run(void *argument) {
  struct Task *task = argument;
  number = task->number;
  team = task->team;
  task->body(&task->number, &task->number, task->shared[0], task->shared[1], task->shared[2], task->shared[3]);
  return NULL;
}

void __kmpc_fork_call(void *place, int32_t count, Body *body, ...) {
  if (count > MOST_SHARED || team > 1)
    abort(); /* no kernel shares more, and none has a team within a team */
  struct Task tasks[MOST_THREADS] = {{body, {NULL}, 0, omp_get_max_threads()}};
  pthread_t threads[MOST_THREADS];
  va_list list;
  va_start(list, body);
  for (int i = 0; i < count; i++)
    tasks[0].shared[i] = va_arg(list, void *);
  va_end(list);
  pthread_barrier_init(&barrier, NULL, tasks[0].team);
  for (int i = 1; i < tasks[0].team; i++) {
    tasks[i] = tasks[0];
    tasks[i].number = i;
    if (pthread_create(&threads[i], NULL, run, &tasks[i]))
      abort();
  }
  run(&tasks[0]);
  for (int i = 1; i < tasks[0].team; i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&barrier);
  team = 1;
}

void __kmpc_fork_call_if(void *place, int32_t count, Body *body, int32_t share, void *shared) {
  if (share)
    __kmpc_fork_call(place, count, body, shared);
  else
    body(&number, &number, shared, NULL, NULL, NULL);
}

void __kmpc_for_static_init_8u(void *place, int32_t global, int32_t schedule, int32_t *last, uint64_t *lower,
                               uint64_t *upper, int64_t *stride, int64_t step, int64_t chunk) {
  if (schedule != STATIC_SCHEDULE || step != 1)
    abort();
  uint64_t count = *upper - *lower + 1, each = count / team, more = count % team;
  uint64_t before = number * each + ((uint64_t)number < more ? number : more);
  uint64_t mine = each + ((uint64_t)number < more);
  *last = mine && before + mine == count;
  *lower += before;
  *upper = *lower + mine - 1; /* below `lower` where there is none */
  *stride = count;
}

void __kmpc_for_static_fini(void *place, int32_t global) {}
