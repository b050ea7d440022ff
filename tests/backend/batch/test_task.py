"""What a batch is asked for: recipes and sources, from options, job files and tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from maquette.batch.asked import sources_of
from maquette.batch.task import Task, frames_of, read_task, recipes_of
from maquette_wire.errors import MaquetteError


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def names(task: Task) -> list[str]:
    return [Path(asked.file).name for asked in sources_of(task)]


def test_values_multiply_and_seeds_vary_fastest():
    recipes = recipes_of(Task(prompts=["brick", "snow"], seed=[3, 4], geometry=[0.2, 0.9]))
    assert [(r.prompt, r.geometry, r.seed) for r in recipes] == [
        (prompt, geometry, seed)
        for prompt in ("brick", "snow")
        for geometry in (0.2, 0.9)
        for seed in (3, 4)
    ]


def test_a_recipe_that_is_asked_for_twice_is_made_once():
    assert len(recipes_of(Task(prompts=["brick", " brick "], seed=[1, 1]))) == 1


def test_lines_of_a_text_file_are_prompts(tmp_path: Path):
    path = write(tmp_path / "prompts.txt", "\ufeffrote Ziegel, Dämmerung\n\n# later\n  snow  \n")
    recipes = recipes_of(Task(prompts=str(path)))
    assert [r.prompt for r in recipes] == ["rote Ziegel, Dämmerung", "snow"]


def test_a_row_of_a_table_decides_and_what_it_leaves_open_varies(tmp_path: Path):
    text = 'prompt,seed,geometry\n"brick, dusk",7,\nsnow,,0.3\n,,\n'
    recipes = recipes_of(Task(prompts=str(write(tmp_path / "p.csv", text)), seed=[1, 2]))
    assert [(r.prompt, r.seed, r.geometry) for r in recipes] == [
        ("brick, dusk", 7, 0.7),
        ("snow", 1, 0.3),
        ("snow", 2, 0.3),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed\n1\n", "no 'prompt'"),
        ("", "no 'prompt'"),
        ("prompt,colour\na,red\n", "unknown column 'colour'. Use prompt, model"),
        ("prompt,seed\na,blue\n", "line 2 is not right: the seed can't be 'blue'. Write a whole"),
        ('prompt,bay\na,"2,5"\n', "line 2 is not right: the bay can't be '2,5'. Write a number"),
        ("prompt,windows\na,round\n", "line 2 is not right: the windows can't.* Use auto, free"),
        ('prompt,seed\n"brick, dusk,1\nsnow,2\n', "line 2 has a quote too many or too few"),
        ("prompt,seed\na,1\n,2\n", "line 3 has no prompt"),
        ("prompt,seed\na,1,2\n", "line 2 has more cells"),
        ("prompt,prompt\na,b\n", "'prompt' twice"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path: Path, text: str, said: str):
    path = write(tmp_path / "wrong.csv", text)
    with pytest.raises(MaquetteError, match=said):
        recipes_of(Task(prompts=str(path)))


def test_a_table_is_read_as_programs_save_it(tmp_path: Path):
    wanted = [("brick, dusk", 7, 0.4), ('an "old" hall', 0, 0.7)]
    for text in (
        '\ufeffPrompt;Seed;Geometry\r\nbrick, dusk;7;0,4\r\n"an ""old"" hall";;\r\n',
        'prompt\tseed\tgeometry\nbrick, dusk\t7\t0.4\nan "old" hall\t\t\n',
        'seed, prompt, geometry\r"7", "brick,\r\n dusk", 0.4\r,"an ""old"" hall",\r',
    ):
        path = tmp_path / "p.csv"
        path.write_bytes(text.encode())
        recipes = recipes_of(Task(prompts=str(path)))
        assert [(each.prompt, each.seed, each.geometry) for each in recipes] == wanted


def test_a_job_file_says_it_all_from_its_own_folder(tmp_path: Path):
    write(tmp_path / "renders" / "a.png", "")
    write(tmp_path / "prompts.txt", "brick\n")
    path = write(
        tmp_path / "job.toml",
        'sources = "renders"\nprompts = "prompts.txt"\noutput = "out"\n'
        "seed = [0, 1]\ngeometry = 0.4\nlong_side = 256\n",
    )
    task = read_task(path)
    assert names(task) == ["a.png"]
    assert task.output == str(tmp_path / "out")
    assert [(r.prompt, r.seed, r.geometry) for r in recipes_of(task)] == [
        ("brick", 0, 0.4),
        ("brick", 1, 0.4),
    ]


def test_windows_storeys_and_bays_may_stand_in_a_job_file_and_in_a_table(tmp_path: Path):
    write(tmp_path / "p.csv", "prompt,windows,bay\nbrick,curtain wall,\nsnow,,1.5\n")
    text = 'prompts = "p.csv"\nwindows = ["grid", "free"]\nstorey = 4\nbay = [2.5, 5.0]\n'
    recipes = recipes_of(read_task(write(tmp_path / "job.toml", text)))
    assert [(r.prompt, r.windows, r.storey, r.bay) for r in recipes] == [
        ("brick", "curtain wall", 4.0, 2.5),
        ("brick", "curtain wall", 4.0, 5.0),
        ("snow", "grid", 4.0, 1.5),
        ("snow", "free", 4.0, 1.5),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prompts = ", "is no TOML"),
        ('windows = "round"', "windows"),
        ('seed = "one"', "seed"),
        ("colour = 1", "has 'colour', which is nothing that a batch is told. Use sources"),
        ("Promts = 'a'", "has 'Promts', .* Do you mean 'prompts'"),
        ('sources = "C:\\\\users"'.replace("\\\\", "\\"), "is no TOML.* paths with /"),
        ("near_is_black = true\nnear_is_white = true", "in two ways"),
        ("unit = 0", "unit"),
        ("threads = 0", "threads"),
    ],
)
def test_a_wrong_job_file_is_refused(tmp_path: Path, text: str, said: str):
    with pytest.raises(MaquetteError, match=said):
        read_task(write(tmp_path / "job.toml", text))


def test_folders_and_patterns_give_pictures_and_scenes_by_number(tmp_path: Path):
    for name in ("v2.png", "v10.PNG", "v1.jpg", "house.blend", "notes.txt", ".hidden.png"):
        write(tmp_path / name, "")
    write(tmp_path / "more" / "deep.png", "")
    assert names(Task(sources=str(tmp_path))) == ["house.blend", "v1.jpg", "v2.png", "v10.PNG"]
    assert names(Task(sources=str(tmp_path / "**" / "*.png"))) == ["deep.png", "v2.png"]
    assert names(Task(sources=[str(tmp_path / "v2.png"), str(tmp_path)]))[0] == "v2.png"


def test_a_pattern_takes_what_can_be_a_source_and_goes_through_no_folder_twice(tmp_path: Path):
    for name in (
        "[1] a/x.png",
        "[1] a/notes.txt",
        "b/y.bmp",
        "b/.hidden.png",
        "b/.git/z.png",
        "b/plain",
    ):
        write(tmp_path / name, "")
    for link in ("up", "b/up", "[1] a/up", "b/other"):  # without care, this never ends
        (tmp_path / link).symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b" / "gone.png").symlink_to("nowhere.png")
    assert names(Task(sources=str(tmp_path / "**" / "*"))) == ["x.png", "gone.png"]
    assert names(Task(sources=str(tmp_path / "**"))) == ["x.png", "gone.png"]
    assert names(Task(sources=str(tmp_path / "[1] a" / "*.*"))) == ["x.png"]
    assert names(Task(sources=str(tmp_path / "*" / "?.bmp"))) == ["y.bmp"]


def test_depth_maps_and_what_the_batch_made_are_no_sources(tmp_path: Path):
    for name in ("tower.png", "tower_depth.png", "out/tower-brick.png", "depth/tower.exr"):
        write(tmp_path / name, "")
    task = Task(sources=str(tmp_path / "**" / "*.*"), output=str(tmp_path / "out"))
    assert names(task) == ["tower.png"]


def test_sources_may_lie_in_or_below_the_output_folder_but_pictures_in_it_are_results(
    tmp_path: Path,
):
    for name in ("old-brick.png", "sources/1-old.png", "house.blend", "renders/tower.png"):
        write(tmp_path / name, "")
    task = Task(sources=str(tmp_path / "**" / "*.*"), output=str(tmp_path))
    assert names(task) == ["house.blend", "tower.png"]
    with pytest.raises(MaquetteError, match="Name another folder"):
        sources_of(Task(sources=str(tmp_path / "old-brick.png"), output=str(tmp_path)))


@pytest.mark.parametrize("name", ["missing.png", "*.exr"])
def test_a_source_that_is_not_there_is_named(tmp_path: Path, name: str):
    with pytest.raises(MaquetteError, match="nothing that is called"):
        sources_of(Task(sources=str(tmp_path / name)))


def test_a_batch_without_a_prompt_says_so():
    with pytest.raises(MaquetteError, match="no prompt"):
        recipes_of(Task(prompts=["  "]))


def test_frames_are_ranges_with_a_step():
    assert frames_of(Task(frames=["1..9:4", 3, "-1..1"])) == (1, 5, 9, 3, -1, 0)
    for wrong in ("1-9", "a", "1..9:0", "1..", "", "9..1"):
        with pytest.raises(MaquetteError, match="no frames"):
            frames_of(Task(frames=wrong))


@pytest.mark.parametrize("side", [0, -7, 15, 10_000])
def test_a_long_side_that_can_not_be_painted_is_refused(tmp_path: Path, side: int):
    path = write(tmp_path / "a.png", "")
    with pytest.raises(MaquetteError, match=f"long side is {side}"):
        sources_of(Task(sources=str(path), long_side=side))
