"""Presses a widget of the plug-in's window, found by its accessible name; runs inside the chroot.

python3 press.py NAME [VALUE]: click it, or set its value. python3 press.py --list: what there is.
python3 press.py --names: the names of what is to be seen and can be used.
python3 press.py --focus NAME: give it the focus. python3 press.py --focused: who has it.
"""

import sys

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # noqa: E402


def below(node):
    for index in range(node.get_child_count()):
        child = node.get_child_at_index(index)
        if child is not None:
            yield child
            yield from below(child)


def widgets():
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        application = desktop.get_child_at_index(index)
        if application is not None and application.get_name().startswith("tincture"):
            yield from below(application)


def showing(node):
    states = node.get_state_set()
    return all(states.contains(s) for s in (Atspi.StateType.SHOWING, Atspi.StateType.SENSITIVE))


def main():
    if sys.argv[1] == "--list":
        for node in widgets():
            print(node.get_role_name(), repr(node.get_name()), showing(node))
        return
    if sys.argv[1] == "--names":
        print(*(node.get_name() for node in widgets() if showing(node)), sep="\n")
        return
    if sys.argv[1] == "--focused":
        focused = Atspi.StateType.FOCUSED
        print(*(n.get_name() for n in widgets() if n.get_state_set().contains(focused)))
        return
    focus = sys.argv[1] == "--focus"
    name = sys.argv[2] if focus else sys.argv[1]
    for node in widgets():
        if node.get_name() != name or not showing(node):
            continue
        if focus:
            node.get_component_iface().grab_focus()
            return
        if len(sys.argv) > 2:
            node.get_value_iface().set_current_value(float(sys.argv[2]))
            return
        if node.get_role_name() == "page tab":
            node.get_parent().get_selection_iface().select_child(node.get_index_in_parent())
            return
        if node.get_action_iface() is not None:
            node.get_action_iface().do_action(0)
            return
    sys.exit(f"there is no “{name}” to press")


main()
