"""Where an index is, how it is built and searched."""

from pydantic import BaseModel
from vectordb_bench.backend.clients.api import DBCaseConfig, DBConfig, MetricType

SIMILARITIES = {
    MetricType.COSINE: "cosine",
    MetricType.L2: "euclidean",
    MetricType.IP: "max_inner_product",
    MetricType.DP: "dot_product",
}


class LucerneConfig(DBConfig):
    path: str

    def to_dict(self) -> dict:
        return {"path": self.path}


class LucerneIndexConfig(BaseModel, DBCaseConfig):
    """Parameters of the graph, and how a search is run: the recall to ask for, or candidates."""

    metric_type: MetricType | None = MetricType.COSINE
    m: int = 16
    beam_width: int = 100
    quantization: str = "int8"
    recall: float | None = None
    candidates: int | None = None
    rescore: float | None = None

    def index_param(self) -> dict:
        return {
            "similarity": SIMILARITIES[self.metric_type or MetricType.COSINE],
            "m": self.m,
            "beam_width": self.beam_width,
            "quantization": self.quantization,
        }

    def search_param(self) -> dict:
        return {"recall": self.recall, "candidates": self.candidates, "rescore": self.rescore}
