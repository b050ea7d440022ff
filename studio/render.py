"""Rendering with Cycles on the CPU: exact maps from one sample a pixel, finished pictures from a
few samples denoised."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from .cameras import SENSOR, Camera
from .facade import OPENING
from .materials import Palette
from .model import Model, Part
from .nodes import new_material
from .sky import Skies

FAR = 1e9
"""Cycles writes 1e10 m where a ray meets nothing."""


@dataclass(frozen=True)
class Maps:
    """Per-pixel maps, row 0 at the top: planar depth in metres (+inf for sky), view-space
    normals, parts, objects."""

    depth: np.ndarray
    normals: np.ndarray
    parts: np.ndarray
    objects: np.ndarray


@dataclass(frozen=True)
class Picture:
    """A finished picture, row 0 at the top: scene-linear colour, float32 [h, w, 3], and how much
    of each pixel is an opening of a wall, float32 [h, w] from 0 to 1."""

    color: np.ndarray
    openings: np.ndarray


class Stage:
    """A Blender session that renders one scene after another."""

    def __init__(self, threads: int = 1, samples: int = 4) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self.folder = Path(
            tempfile.mkdtemp(
                prefix="studio-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None
            )
        )
        self.samples = samples
        self._configure(threads)
        self.palette = Palette()
        self.skies = Skies(self.scene)
        camera = bpy.data.cameras.new("camera")
        self.camera = bpy.data.objects.new("camera", camera)
        self.scene.collection.objects.link(self.camera)
        self.scene.camera = self.camera
        self.mesh: Any = None  # the scene's one mesh object

    def close(self) -> None:
        """Remove the files between Blender and NumPy."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configure(self, threads: int) -> None:
        scene = self.scene
        render = scene.render
        render.engine = "CYCLES"
        render.threads_mode, render.threads = "FIXED", threads
        render.use_persistent_data = True
        render.resolution_percentage = 100
        render.image_settings.file_format = "OPEN_EXR"
        render.image_settings.color_depth = "32"
        render.image_settings.exr_codec = "NONE"
        render.film_transparent = False
        cycles = scene.cycles
        cycles.device = "CPU"
        cycles.use_adaptive_sampling = False
        cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
        cycles.transmission_bounces = cycles.volume_bounces = 0
        cycles.caustics_reflective = cycles.caustics_refractive = False
        cycles.sample_clamp_indirect = 4.0
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_prefilter, cycles.denoising_quality = "NONE", "FAST"
        cycles.use_light_tree = False
        cycles.seed = 0
        layer = scene.view_layers[0]
        layer.use_pass_z = True
        layer.use_pass_normal = True
        for name, kind in (("part", "COLOR"), (OPENING, "VALUE")):
            aov = layer.aovs.add()
            aov.name, aov.type = name, kind
        scene.use_nodes = True
        tree = scene.node_tree
        tree.nodes.clear()
        layers = tree.nodes.new("CompositorNodeRLayers")
        output = tree.nodes.new("CompositorNodeOutputFile")
        output.base_path = str(self.folder)
        output.format.file_format, output.format.color_depth, output.format.exr_codec = (
            "OPEN_EXR",
            "32",
            "NONE",
        )
        output.file_slots.clear()
        for name in ("Depth", "Normal", "part", OPENING):
            output.file_slots.new(name)
            tree.links.new(layers.outputs[name], output.inputs[name])

    def load(self, model: Model) -> None:
        """Replace the scene's geometry."""
        if self.mesh is not None:
            old = self.mesh.data
            bpy.data.objects.remove(self.mesh)
            bpy.data.meshes.remove(old)
        mesh = bpy.data.meshes.new("scene")
        mesh.from_pydata(model.vertices, [], model.faces)
        layer = mesh.uv_layers.new(name="facade")
        assert layer is not None, "a new mesh has room for one layer"
        layer.data.foreach_set("uv", np.array(model.uvs, np.float32).ravel())
        cells = np.array(model.cells, np.float32)
        for name, values in (
            ("bay", cells[:, 0]),
            ("storey", cells[:, 1]),
            ("kind", cells[:, 2]),
            ("object_number", model.objects),
            ("part_number", model.parts),
        ):
            attribute = mesh.attributes.new(name, "FLOAT", "FACE")
            attribute.data.foreach_set("value", np.ascontiguousarray(values, np.float32))
        for material in self.palette.slots():
            mesh.materials.append(material)
        mesh.polygons.foreach_set("material_index", np.array(model.parts, np.int32))
        mesh.polygons.foreach_set("use_smooth", np.array(model.parts) == Part.FOLIAGE)
        mesh.update()
        self.mesh = bpy.data.objects.new("scene", mesh)
        self.scene.collection.objects.link(self.mesh)

    def aim(self, camera: Camera) -> None:
        """Place the camera."""
        self.camera.matrix_world = Matrix(camera.matrix().tolist())
        data: Any = self.camera.data
        data.type = "PERSP" if camera.ortho_scale is None else "ORTHO"
        data.sensor_fit, data.sensor_width = "HORIZONTAL", SENSOR
        data.lens = camera.lens
        data.shift_x, data.shift_y = camera.shift_x, camera.shift_y
        data.clip_start, data.clip_end = 0.1, 10000.0
        if camera.ortho_scale is not None:
            data.ortho_scale = camera.ortho_scale

    def maps(self, width: int, height: int, camera: Camera) -> Maps:
        """Depth, normals, parts and objects at exact pixel centres."""
        scene = self.scene
        scene.cycles.samples = 1
        scene.cycles.use_denoising = False
        scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
        bounces = scene.cycles.max_bounces
        scene.cycles.max_bounces = 0
        self._size(width, height)
        scene.view_layers[0].material_override = _identity_material()
        bpy.ops.render.render()
        scene.view_layers[0].material_override = None
        scene.cycles.max_bounces = bounces
        depth = self._read("Depth0001.exr", width, height)[..., 0]
        world = self._read("Normal0001.exr", width, height)[..., :3]
        numbers = self._read("part0001.exr", width, height)
        sky = depth > FAR
        view = world @ camera.matrix()[:3, :3].astype(np.float32)
        parts = np.where(sky, 0, np.rint(numbers[..., 0])).astype(np.uint8)
        objects = np.where(sky, 0, np.rint(numbers[..., 1])).astype(np.int64)
        view[sky] = 0.0
        return Maps(np.where(sky, np.inf, depth).astype(np.float32), view, parts, objects)

    def picture(self, width: int, height: int) -> Picture:
        """What the camera sees of the finished scene."""
        scene = self.scene
        scene.cycles.samples = self.samples
        scene.cycles.use_denoising = True
        scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BLACKMAN_HARRIS", 1.3
        self._size(width, height)
        scene.render.filepath = str(self.folder / "picture.exr")
        bpy.ops.render.render(write_still=True)
        color = self._read("picture.exr", width, height)[..., :3]
        openings = self._read(f"{OPENING}0001.exr", width, height)[..., 0]
        return Picture(color, openings.clip(0.0, 1.0))

    def _size(self, width: int, height: int) -> None:
        self.scene.render.resolution_x, self.scene.render.resolution_y = width, height

    def _read(self, name: str, width: int, height: int) -> np.ndarray:
        path = self.folder / name
        image = bpy.data.images.load(str(path))
        settings: Any = image.colorspace_settings
        settings.name = "Non-Color"
        pixels = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        channels = image.channels
        bpy.data.images.remove(image)
        path.unlink()
        return pixels.reshape(height, width, channels)[::-1]


def _identity_material() -> bpy.types.Material:
    """Writes part and object numbers of a face into an AOV."""
    material = bpy.data.materials.get("identity")
    if material is not None:
        return material
    material, t = new_material("identity")
    output = t.node("ShaderNodeOutputAOV", aov_name="part")
    t.plug(t.join(t.attribute("part_number"), t.attribute("object_number")), output.inputs["Color"])
    t.surface(t.shader("Emission"))
    return material


def focus_distance(camera: Camera, points: np.ndarray) -> float:
    """Mean distance in metres, along the axis, of what a camera frames."""
    matrix = camera.matrix()
    depth = -((points - matrix[:3, 3]) @ matrix[:3, 2])
    return max(1.0, float(np.mean(depth[depth > 0.0])))
