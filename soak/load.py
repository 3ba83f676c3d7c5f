"""A mixed load on a node: everything at once, each thread one act after the other, until it is told to end or the node is gone."""
import itertools
import random
import threading

from soaked import MODES, Swept, World


class Load:
    """`with Load(world):` works until its end; `dying` is set before somebody kills the node. What fails before is told in the world."""

    def __init__(self, world: World, acts: int | None = None, readers: int = 1, searchers: int = 1):
        self.world, self.left, self.dying = world, acts, threading.Event()
        self.count = itertools.count(1)
        acts = [*(self._port(name) for name in MODES), (world.publish, 0), (world.grant, 0), (world.sweep, 0.3), *[(world.search, 0.02)] * searchers]
        self.threads = [threading.Thread(target=self._work, args=act) for act in acts] + [threading.Thread(target=self._read) for _ in range(readers)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        if self.left is None:
            self.dying.set()
        for thread in self.threads:
            thread.join(90)
            if thread.is_alive():
                self.world.wrong.append("a client still waits for an answer")

    def join(self):
        """Until as many acts as were asked for are done."""
        for thread in self.threads:
            thread.join()

    def _goes_on(self) -> bool:
        return not self.dying.is_set() and (self.left is None or next(self.count) <= self.left)

    def _work(self, act, pause: float):
        while self._goes_on():
            try:
                act()
            except Swept:
                continue
            except Exception as error:  # Whatever a client makes of a node that is gone.
                return self._failed(error)
            self.dying.wait(pause)

    def _failed(self, error: Exception):
        if not self.dying.is_set():
            self.world.wrong.append(f"with the node alive: {type(error).__name__}: {error}")

    def _port(self, name: str):
        dice = random.Random(name)

        def act():
            chance = dice.random()
            if chance < 0.1:
                self.world.rollback(name)
            else:
                self.world.run(name, bad="unwanted" if chance < 0.2 else "")
        return act, 0

    def _read(self):
        try:
            with self.world.reader() as cursor:
                for name in itertools.cycle(self.world.ports):
                    if not self._goes_on():
                        return
                    self.world.read(cursor, name)
        except Exception as error:
            self._failed(error)
