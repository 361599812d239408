"""A virtual environment with Latentia in it, made by nothing but Python; shared by ``demo`` and ``test`` beside it.

It also has to start under a Python that is too old, if only to say so: hence no newer syntax.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLDEST = (3, 11)
UNFINISHED = "latentia-unfinished"  # lies in an environment from before it is made until it is whole


def stop(message):
    """End with one line on stderr and exit code 1."""
    sys.stderr.write(message + "\n")
    raise SystemExit(1)


def say(message):
    """Print a line at once, so that it stands before what the commands print."""
    sys.stdout.write(message + "\n")
    sys.stdout.flush()


def place():
    """Return the environment's folder: ``LATENTIA_VENV``, else ``.venv`` in the repository."""
    return os.path.abspath(os.environ.get("LATENTIA_VENV") or os.path.join(ROOT, ".venv"))


def interpreter(folder):
    """Return the path of an environment's Python."""
    return os.path.join(folder, "Scripts", "python.exe") if os.name == "nt" else os.path.join(folder, "bin", "python")


def fault(folder):
    """Return what an environment lacks, in words: a Python that starts and is new enough, or pip; None if nothing."""
    check = (
        "import sys\n"
        "if sys.version_info < %r: raise SystemExit('its Python is %%d.%%d' %% sys.version_info[:2])\n"
        "try: import pip\n"
        "except ImportError: raise SystemExit('it has no pip')\n"
        "sys.stderr.write('whole')" % (OLDEST,)
    )
    try:
        done = subprocess.run([interpreter(folder), "-c", check], stderr=subprocess.PIPE)
    except OSError:
        return "its Python does not start"
    said = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
    if said == "whole" and done.returncode == 0:
        return None
    return said if said.startswith("it") and done.returncode == 1 else "its Python does not start"


def make_room(folder):
    """Empty a folder that this script left unfinished, and mark it; refuse one that holds anything else."""
    found = os.listdir(folder) if os.path.isdir(folder) else []
    if found and UNFINISHED not in found:
        if "pyvenv.cfg" not in found:
            stop(
                "%s is in the way: it is neither empty nor a virtual environment. "
                "Move it, or set LATENTIA_VENV to another folder." % folder
            )
        stop(
            "The virtual environment in %s cannot be used: %s, and Latentia needs Python %d.%d or newer with pip. "
            "Remove it if nobody needs it, or set LATENTIA_VENV to another folder." % ((folder, fault(folder)) + OLDEST)
        )
    if not os.path.isdir(folder):
        os.makedirs(folder)
    with open(os.path.join(folder, UNFINISHED), "w") as file:
        file.write("scripts/environment.py is making this environment; while this file is here, it may replace it.\n")
    for name in found:
        path = os.path.join(folder, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif name != UNFINISHED:
            os.remove(path)


def create(folder):
    """Make the environment, replacing one that this script left unfinished and no other."""
    try:
        import ensurepip  # noqa: F401  (Debian and Ubuntu ship it apart from Python)
        import venv
    except ImportError:
        stop(
            "This Python cannot make virtual environments: its 'venv' or 'ensurepip' module is missing. "
            "On Debian or Ubuntu, `apt install python%d.%d-venv` brings both." % sys.version_info[:2]
        )
    try:
        make_room(folder)
        say("Making a virtual environment in %s" % folder)
        venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(folder)
        os.remove(os.path.join(folder, UNFINISHED))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        stop("The virtual environment in %s could not be made: %s" % (folder, error))


def wanted(requirement):
    """Return what the installation depends on, as one word: what is asked for and the packaging file."""
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        return hashlib.sha256(ROOT.encode() + requirement.encode() + file.read()).hexdigest()


def install(folder, extra):
    """Install the repository, in place, with one of its extras; do nothing if that was done before."""
    requirement = "." + ("[%s]" % extra if extra else "")
    stamp = os.path.join(folder, "latentia-%s.installed" % (extra or "core"))
    word = wanted(requirement)
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == word:
                return
    say("Installing Latentia and what it needs (PyTorch is large; this can take some minutes)")
    command = [interpreter(folder), "-m", "pip", "install", "--disable-pip-version-check", "-e", requirement]
    if not sys.stdout.isatty():
        command.append("--quiet")
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        stop("pip could not install Latentia; its own message is above. Run the same command again to go on.")
    with open(stamp, "w") as file:
        file.write(word)


def prepare(extra=""):
    """Return the Python of an environment with Latentia installed.

    Args:
        extra: Which of the optional dependencies to bring, such as ``test``.
    """
    if sys.version_info < OLDEST:
        stop(
            "Latentia needs Python %d.%d or newer; this is Python %d.%d. " % (OLDEST + sys.version_info[:2])
            + "Run this with a newer one, as in `python%d.%d %s`." % (OLDEST + (sys.argv[0],))
        )
    folder = place()
    if fault(folder) is not None or os.path.exists(os.path.join(folder, UNFINISHED)):
        create(folder)
    install(folder, extra)
    return interpreter(folder)


def run(command, **variables):
    """Become a command, run in the repository's folder with some more environment variables; does not return."""
    environ = dict(os.environ, **variables)
    os.chdir(ROOT)
    if os.name == "posix":  # no process stays between the terminal and the command, so Ctrl-C reaches it alone
        os.execve(command[0], command, environ)
    raise SystemExit(subprocess.call(command, env=environ))
