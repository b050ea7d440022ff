"""Runs in Blender with the extension installed: what a Blender that died in mid-job left behind.

Arguments: the .blend, and "die" to be killed in mid-job, "fetch" to go on from that, "kill server"
to have the server killed in mid-job. Prints one line of JSON about what the user has.
"""

import importlib
import json
import os
import signal
import sys
import time

import bpy
from maquette_wire import local

ADD_ON = "bl_ext.user_default.maquette"
scene_file, what = sys.argv[-2:]

bpy.ops.preferences.addon_enable(module=ADD_ON)
bpy.ops.wm.open_mainfile(filepath=scene_file)
settings = bpy.context.scene.maquette
session = importlib.import_module(f"{ADD_ON}.session").current()


def turn(until, seconds=120.0):
    """What Blender's timer does, which needs a window."""
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        session.tick()
        time.sleep(0.02)


def restyle(steps):
    settings.source, settings.prompt, settings.model = "CAMERA", "red brick", "tiny"
    settings.long_side, settings.use_steps, settings.steps = 128, True, steps
    settings.seed, settings.seed_locked = 7, True
    bpy.ops.maquette.restyle()
    (job,) = session.open_jobs
    turn(lambda: job.step >= 3)
    return job


def server():
    record = local.running(session.home)
    assert record is not None
    return record.pid


user = {"left": [(entry.file, entry.label) for entry in session.left_behind], "states": []}
if what == "die":
    restyle(200)
    os.kill(os.getpid(), signal.SIGKILL)
elif what == "kill server":
    job = restyle(300)
    user["states"].append(job.state.name)
    first = server()
    os.kill(first, signal.SIGKILL)
    turn(lambda: job.state.name == "WAITING")
    user["states"].append(job.state.name)
    user["told"] = [notice.text for notice in session.notices]
    turn(lambda: job.state.name == "SAMPLING")
    user["states"].append(job.state.name)
    user["another server"] = server() != first
else:
    bpy.ops.maquette.connect()
    turn(lambda: session.jobs)
turn(lambda: not session.jobs and not session.delivery.busy)
image = settings.last_result
user["image"] = image and image.name
user["file"] = image and bpy.path.abspath(image.filepath)
user["capture"] = [bpy.path.abspath(entry.capture) for entry in settings.pictures]
user["left in the end"] = len(session.left_behind)
user["told in the end"] = [notice.text for notice in session.notices]
print("USER HAS " + json.dumps(user), flush=True)
