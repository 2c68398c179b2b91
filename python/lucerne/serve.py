"""Indexes in shards on Ray Serve: a deployment for each shard, and a router. Needs `ray[serve]` (`pip install lucerne[serve]`).

    app = lucerne.serve.app("/shared/notes", replicas=2)
    notes = ray.serve.run(app, name="notes", route_prefix="/notes")
    found = notes.search.remote(lucerne.Match("body", "editor"), limit=5).result()
    found["keys"], found["shards"]

The router asks all shards, puts their answers together, and leaves out those that do not answer in time. What happens when a
replica fails is told in `docs/cluster.md`.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any, Sequence

import numpy as np
from ray import serve  # type: ignore[import-untyped,import-not-found,unused-ignore]
from ray.exceptions import RayActorError  # type: ignore[import-untyped,import-not-found,unused-ignore]

import lucerne
from lucerne._tasks import Path, shard_paths

__all__ = ["Router", "Shard", "app"]

# Between two attempts to ask a shard whose replica has died.
_PAUSE = 0.02


def app(
    path: Path,
    *,
    replicas: int = 1,
    routers: int = 1,
    timeout: float = 10.0,
    refresh: float = 1.0,
    concurrent: int = 8,
    threads: int = 1,
    shard_options: dict[str, Any] | None = None,
) -> Any:
    """An application for `ray.serve.run`: a `Shard` deployment for each shard of the index, and a `Router` before them.

    Args:
        path: the folder of an index, in shards or not, the same for all machines that have replicas.
        replicas: of each shard. With two, no search fails while one of them does.
        routers: replicas of the router.
        timeout: seconds that a search may take, unless it says otherwise: then shards that have not answered are left out.
        refresh: seconds between two looks for a newer commit.
        concurrent: searches that a replica of a shard runs side by side.
        threads: on which a replica searches its segments.
        shard_options: options of the shards' deployments, as `serve.deployment` takes them, such as `ray_actor_options`.
    """
    paths = shard_paths(os.path.abspath(path))
    schema = lucerne.open(paths[0]).schema
    deployment: Any = serve.deployment
    shards = [
        deployment(
            name=f"shard-{number}",
            num_replicas=replicas,
            max_ongoing_requests=concurrent,
            **(shard_options or {}),
        )(Shard).bind(shard, refresh, threads)
        for number, shard in enumerate(paths)
    ]
    router = deployment(name="router", num_replicas=routers, max_ongoing_requests=256)
    return router(Router).bind(schema, shards, timeout)


class Shard:
    """A replica of a shard: searches the newest commit, which it opens beside the searches that go on."""

    def __init__(self, path: str, refresh: float, threads: int) -> None:
        self._index, self._threads = lucerne.open(path), threads
        self._searcher = self._index.searcher()
        self._closed = threading.Event()
        threading.Thread(target=self._follow, args=(refresh,), daemon=True).start()

    def _follow(self, refresh: float) -> None:
        while not self._closed.wait(refresh):
            try:
                # The searcher before stays until its last search is done.
                self._searcher = self._index.searcher()
            except lucerne.LucerneError as error:
                # Searches go on with what is open.
                print(f"{self._index.path}: no newer commit could be opened: {error}", flush=True)

    async def answers(self, requests: list[str | None], seconds: float) -> list[str | None]:
        """The answers to requests of some `lucerne.ShardedSearch`, in so many seconds for all of them."""
        deadline, searcher, threads = time.monotonic() + seconds, self._searcher, self._threads

        def answer(request: str | None) -> str | None:
            if request is None:
                return None
            return searcher.answer(request, timeout=max(deadline - time.monotonic(), 0.0), threads=threads)

        return await asyncio.to_thread(lambda: [answer(request) for request in requests])

    async def state(self) -> dict[str, Any]:
        """Of this replica: its process, the generation that it searches, and the number of documents."""
        searcher = self._searcher
        return {"process": os.getpid(), "generation": searcher.generation, "documents": len(searcher)}

    def __del__(self) -> None:
        self._closed.set()


class Router:
    """Asks all shards, and puts together what they answer."""

    def __init__(self, schema: dict[str, Any], shards: Sequence[Any], timeout: float) -> None:
        self._schema, self._shards, self._timeout = schema, list(shards), timeout

    async def search(self, query: Any, *, timeout: float | None = None, **keywords: Any) -> dict[str, Any]:
        """Runs a query (an object, text, or JSON as a dict) with the keywords of `lucerne.Searcher.search`.

        Returns a dict: `keys`, and `hits`, a dict for each; `total`, `total_is_exact`, `facets`, `aggregations`, `exact`; `shards`,
        how many have answered in time and how many there are. Where these differ there may be better hits.
        """
        return (await self.search_many([query], timeout=timeout, **keywords))[0]

    async def search_many(
        self, queries: Sequence[Any], *, timeout: float | None = None, **keywords: Any
    ) -> list[dict[str, Any]]:
        """The same for many queries with the same keywords, which share the way to the shards; `timeout` is for all of them."""
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        count = len(self._shards)
        searches = [lucerne.ShardedSearch(query, self._schema, count, **keywords) for query in queries]
        while left := [(search, asked) for search in searches if (asked := search.requests()) is not None]:
            of_shards = [[asked[number] for _, asked in left] for number in range(count)]
            asking = [self._ask(shard, requests, deadline) for shard, requests in zip(self._shards, of_shards)]
            answers = await asyncio.gather(*asking)
            for number, (search, _) in enumerate(left):
                search.answered([own[number] for own in answers])
        return [_as_dict(search.hits()) for search in searches]

    async def _ask(self, shard: Any, requests: list[str | None], deadline: float) -> list[str | None]:
        """The answers of a shard; None when it is late. A replica that dies is not the only one: another one is asked."""
        nothing: list[str | None] = [None] * len(requests)
        while requests != nothing and (left := deadline - time.monotonic()) > 0:
            response = shard.answers.remote(requests, left)
            try:
                answers: list[str | None] = await asyncio.wait_for(_result(response), left)
                return answers
            except (asyncio.TimeoutError, lucerne.TimedOutError):
                response.cancel()
                return nothing
            except RayActorError:
                await asyncio.sleep(min(_PAUSE, max(deadline - time.monotonic(), 0)))
        return nothing

    async def __call__(self, request: Any) -> dict[str, Any]:
        """Over HTTP: a search in JSON, as the body of a POST."""
        return await self.search(await request.json())


async def _result(response: Any) -> Any:
    return await response


def _as_dict(hits: lucerne.Hits) -> dict[str, Any]:
    return {
        "keys": hits.keys,
        "hits": [_hit(hit) for hit in hits],
        "total": hits.total,
        "total_is_exact": hits.total_is_exact,
        "facets": hits.facets,
        "aggregations": hits.aggregations,
        "exact": hits.exact,
        "shards": hits.shards,
    }


def _hit(hit: lucerne.Hit) -> dict[str, Any]:
    made: dict[str, Any] = {"key": hit.key, "score": hit.score}
    if hit.distance is not None:
        made["distance"] = hit.distance
    if hit.fields is not None:
        made["fields"] = {name: _plain(value) for name, value in hit.fields.items()}
    if hit.vectors:
        made["vectors"] = {name: _plain(value) for name, value in hit.vectors.items()}
    if hit.highlights:
        made["highlights"] = hit.highlights
    if hit.group is not None:
        made["group"] = hit.group.value
    return made


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value
