"""Timing in rounds. Each round times every implementation once, in an order that is turned around from round to round, with
a probe of the machine before and after each: a share of the peak is of the peak at that very moment, and a ratio of
two implementations is one of the same round. What is told is the median over the rounds."""
import statistics
import time
from dataclasses import dataclass, field

SHORTEST = 2e-3  # seconds of a sample: shorter calls are repeated


@dataclass
class Sample:
    """Of one implementation, a number a round."""
    seconds: list = field(default_factory=list)
    peaks: list = field(default_factory=list)  # of the probe
    output: object = None                      # of the last call that was timed

    def median(self):
        return statistics.median(self.seconds)

    def share(self, work):
        """The median share of the peak, for `work` operations or bytes a call."""
        return statistics.median(work / t / p / 1e9 for t, p in zip(self.seconds, self.peaks))

    def times(self, other):
        """How many times longer the other takes: the median over the rounds."""
        return statistics.median(b / a for a, b in zip(self.seconds, other.seconds))


def repetitions(call):
    """How often to call for a sample; warms up."""
    call()
    begin = time.perf_counter()
    call()
    return max(1, round(SHORTEST / max(time.perf_counter() - begin, 1e-7)))


def measure(calls, probe, rounds, budget, clock=time.thread_time):
    """A Sample of each call, by name. Stops when `budget` seconds are over, though not before five rounds."""
    samples = {name: Sample() for name in calls}
    again = {name: repetitions(call) for name, call in calls.items()}
    begin = time.perf_counter()
    for done in range(rounds):
        before = probe()
        for name in list(calls)[::-1 if done % 2 else 1]:
            call, sample = calls[name], samples[name]
            start = clock()
            for _ in range(again[name]):
                output = call()
            sample.seconds.append((clock() - start) / again[name])
            after = probe()
            sample.peaks.append((before + after) / 2)
            before, sample.output = after, output
        if done >= 4 and time.perf_counter() - begin > budget:
            break
    return samples
