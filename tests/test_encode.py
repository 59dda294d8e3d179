"""Films: how long each picture stays, in the file and in a browser that seeks in it."""

import base64

import av
import numpy as np
import pytest

from cutaway.clips.raster.mp4 import KEY_FRAME, Film
from tests.test_player import serving

SIZE, FPS = (128, 72), 30
PICTURES = 2 * KEY_FRAME + 20
LASTS = [45 if k % 25 == 7 else 1 for k in range(PICTURES - 1)] + [60]  # movement, pauses, and a long end
STARTS = [sum(LASTS[:k]) for k in range(PICTURES)]


def grey(number: int) -> int:
    return 40 + 6 * (number % 30)  # neighbours differ by more than the codec loses


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    film = Film(path, SIZE, FPS)
    for number, lasts in enumerate(LASTS):
        picture = np.full((SIZE[1], SIZE[0], 4), grey(number), np.uint8)
        film.add(picture, lasts)
    film.close()
    return path


def test_every_picture_begins_when_it_should_and_the_last_one_stays(path):
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        frames = list(film.decode(stream))
        found = {round(float(frame.pts * frame.time_base) * FPS): frame for frame in frames}
        assert float(stream.duration * stream.time_base) == pytest.approx(sum(LASTS) / FPS, abs=0.001)
    assert sorted(found) == [*STARTS, sum(LASTS) - 1]
    for number, start in enumerate(STARTS):
        assert abs(found[start].to_ndarray(format="gray").mean() - grey(number)) < 3


def test_who_seeks_never_waits_for_more_than_the_pictures_since_a_key_frame(path):
    with av.open(str(path)) as film:
        keys = [packet.is_keyframe for packet in film.demux(video=0) if packet.size]
    between = np.diff([*np.flatnonzero(keys), len(keys)])
    assert keys[0] and between.max() == KEY_FRAME


def test_pauses_cost_next_to_nothing(path, tmp_path):
    once = Film(tmp_path / "one.mp4", SIZE, FPS)
    picture = np.full((SIZE[1], SIZE[0], 4), 90, np.uint8)
    once.add(picture, 3000)
    once.close()
    with av.open(str(tmp_path / "one.mp4")) as film:
        assert len(list(film.decode(video=0))) == 2


def test_a_browser_shows_the_picture_of_the_moment(path, chromium):
    """Chromium's own demuxer and decoder, whatever order the pictures are stored in."""
    page = chromium.new_page()
    with serving(path.parent) as address:
        page.goto(f"{address}/")
        data = base64.b64encode(path.read_bytes()).decode()
        seeks = [((start + 0.5) / FPS, grey(number)) for number, start in enumerate(STARTS)][::7]
        found = page.evaluate(SEEK, [f"data:video/mp4;base64,{data}", seeks])
    page.close()
    assert found["duration"] == pytest.approx(sum(LASTS) / FPS, abs=0.01)
    assert np.abs(np.array(found["greys"]) - [wanted for _, wanted in seeks]).max() <= 4


# A busy browser may say that it has found the place and still hold the picture before: it has two seconds.
SEEK = """async ([source, seeks]) => {
  const video = document.createElement("video"), canvas = document.createElement("canvas");
  video.muted = true;
  const happens = name => new Promise((done, wrong) => {
    video.addEventListener(name, done, {once: true});
    video.addEventListener("error", () => wrong(video.error.message), {once: true});
  });
  const ready = happens("loadeddata");
  video.src = source;
  await ready;
  const pen = canvas.getContext("2d"), greys = [];
  const shown = () => (pen.drawImage(video, 0, 0, 1, 1), pen.getImageData(0, 0, 1, 1).data[0]);
  for (const [time, wanted] of seeks) {
    const there = happens("seeked");
    video.currentTime = time;
    await there;
    for (let k = 0; k < 100 && Math.abs(shown() - wanted) > 4; k++) await new Promise(next => setTimeout(next, 20));
    greys.push(shown());
  }
  return {duration: video.duration, greys};
}"""
