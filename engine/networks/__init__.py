"""The networks by name. Every one has the face of `ColorizationNetwork`."""

from __future__ import annotations

from collections.abc import Mapping

from engine.networks.base import ColorizationNetwork
from engine.networks.default import DefaultDimensions, DefaultNetwork
from engine.networks.paper import PaperDimensions, PaperNetwork

__all__ = ["NETWORKS", "ColorizationNetwork", "build_network"]

NETWORKS: dict[str, tuple[type[ColorizationNetwork], type]] = {
    "paper": (PaperNetwork, PaperDimensions),
    "default": (DefaultNetwork, DefaultDimensions),
}


def build_network(name: str, dimensions: Mapping[str, int] | None = None) -> ColorizationNetwork:
    """Make an untrained network. Raises KeyError when the name is not in NETWORKS."""
    network, dimensions_type = NETWORKS[name]
    return network(dimensions_type(**(dimensions or {})))
