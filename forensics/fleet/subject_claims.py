"""Which driver does which subject: never two at once, and none of a driver that died.

In a folder a claim is a file that only one driver can create: `claims/KEY/0`, then `claims/KEY/1`
where the first claimant died, and so on. Nothing is removed, so nobody can remove what another has
just taken.

Object storage does not create on condition through pyarrow. There every driver announces itself,
`claims/KEY/DRIVER`, and then lists who else did; if another one who lives has, it withdraws and
tries later. As a listing shows every earlier write (S3, GCS and Azure promise that), of two drivers
at least one sees the other: both may withdraw, both never go on. It is the entry protocol of
Dekker's algorithm (Dijkstra 1965, "Cooperating sequential processes") without its turn.
"""

from __future__ import annotations

from dataclasses import dataclass

from forensics.fleet.drivers import DriverWatch
from forensics.fleet.result_store import ResultStore

FOLDER = "claims"


@dataclass(frozen=True)
class Claims:
    """The claims of one driver, whose name is `driver`; `watch` tells of the others."""

    store: ResultStore
    driver: str
    watch: DriverWatch

    def take(self, key: str) -> bool:
        """Claim a subject; return whether it is this driver's now."""
        numbers = [name for name in self.store.names(f"{FOLDER}/{key}") if name.isdigit()]
        last = max(map(int, numbers), default=-1)
        if last >= 0 and self._held(f"{FOLDER}/{key}/{last}"):
            return False
        created = self.store.create(f"{FOLDER}/{key}/{last + 1}", self.driver.encode("ascii"))
        return self._announced(key) if created is None else created

    def release(self, key: str) -> None:
        """Give a subject back that was announced; a claim in a folder ends with its driver."""
        self.store.remove(f"{FOLDER}/{key}/{self.driver}")

    def holder(self, key: str) -> str | None:
        """Return the living driver who has claimed a subject, None without one."""
        names = self.store.names(f"{FOLDER}/{key}")
        numbers = sorted((int(name) for name in names if name.isdigit()), reverse=True)
        announced = [name for name in names if not name.isdigit()]
        latest = [self._driver_of(f"{FOLDER}/{key}/{numbers[0]}")] if numbers else []
        return next((name for name in (*latest, *announced) if self.watch.is_alive(name)), None)

    def _held(self, name: str) -> bool:
        holder = self._driver_of(name)
        return holder != self.driver and self.watch.is_alive(holder)

    def _driver_of(self, name: str) -> str:
        return (self.store.read(name) or b"").decode("ascii", "replace")

    def _announced(self, key: str) -> bool:
        self.store.put(f"{FOLDER}/{key}/{self.driver}", b"")
        others = [name for name in self.store.names(f"{FOLDER}/{key}") if name != self.driver]
        if any(self.watch.is_alive(name) for name in others):
            self.release(key)
            return False
        return True
