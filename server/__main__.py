"""The engine process: `python -m server`.

It ends by itself when nobody has been connected for a while. When another engine of the same user
runs or starts already, it leaves at once with exit status 0: one is enough.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
import threading

from server.protocol import PROTOCOL, VERSION, handshake, places, rendezvous
from server.protocol.lock import NoLocks, only_one

LOOK_SECONDS = 1.0  # how often the engine asks itself whether it is still needed
log = logging.getLogger("server")


def main() -> int:
    arguments = _parse()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    # PASSIVE: threads that have nothing to do sleep instead of spinning; GIMP needs the cores too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    rendezvous.make_private_folder(places.state_folder())
    try:
        with only_one(places.lock_file()) as first:
            if first:
                return _serve(arguments)
    except NoLocks as error:
        log.error("%s", error)
        return 1
    log.info("another engine is running already")
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    from engine.colorizer import Colorizer
    from engine.weights import WeightsMissing
    from server.handlers import Handlers
    from server.listener import Listener

    try:
        colorizer = Colorizer.load(arguments.network, arguments.device)
    except WeightsMissing as error:
        log.error("%s", error)
        return 1
    token = handshake.new_token()
    listener = Listener(Handlers(colorizer), token)
    meeting = rendezvous.Rendezvous(os.getpid(), listener.port, token, PROTOCOL, VERSION)
    for place in places.rendezvous_files():
        rendezvous.write(place, meeting)
    log.info("ready: %s on %s, pid %d", colorizer.name, colorizer.device, os.getpid())
    _end_on_signals(listener.ended)
    # Only the report on a dot needs it; it is fetched while the first photo is on its way.
    threading.Thread(target=importlib.import_module, args=("skimage.color",), daemon=True).start()
    while not listener.ended.wait(LOOK_SECONDS):
        if listener.idle_seconds() > arguments.idle_minutes * 60:
            log.info("nobody has called for %g minutes", arguments.idle_minutes)
            break
    for place in places.rendezvous_files():
        rendezvous.remove(place, token)
    listener.close()
    log.info("ended")
    return 0


def _end_on_signals(ended: threading.Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m server", description=__doc__)
    parser.add_argument("--network", default="default", help="which weights to use")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: the best there is")
    parser.add_argument("--idle-minutes", type=float, default=15.0, help="default: %(default)s")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
