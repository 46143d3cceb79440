extension FilmPage {
  /// What the page does: it decodes the frames, as `PageTrace/Picture/HeapFilm.swift` tells, draws
  /// the one that is asked for, and sets the figures and the cursor of the curves.
  static let script = #"""
    "use strict";
    const film = JSON.parse(document.getElementById("film").textContent);
    const packed = atob(document.getElementById("changes").textContent.trim());
    const element = (id) => document.getElementById(id);
    const [slider, play, canvas] = ["slider", "play", "map"].map(element);
    const last = film.steps.length - 1;

    // Frames: `starts` says where the changes of each begin, `whole` has every 32nd one.
    const keep = 32, whole = [], starts = [0];
    const cells = new Uint8Array(film.cells);
    for (const count of film.bytes) starts.push(starts.at(-1) + count);

    // Makes the changes of a frame, and shows each stretch of cells to `draw`.
    function apply(frame, draw) {
      let at = starts[frame];
      const end = starts[frame + 1];
      const number = () => {
        for (let value = 0, factor = 1; ; factor *= 128) {
          const byte = packed.charCodeAt(at++);
          value += (byte & 127) * factor;
          if (byte < 128) return value;
        }
      };
      for (let cell = 0; at < end;) {
        cell += number();
        const change = number(), stop = cell + (change >> 3);
        cells.fill(change & 7, cell, stop);
        if (draw) draw(cell, stop, change & 7);
        cell = stop;
      }
    }
    for (let frame = 0; frame <= last; frame++) {
      apply(frame);
      if (frame % keep === 0) whole.push(cells.slice());
    }

    // The map: rows of 512 cells, with room between huge pages where cells are small.
    const perRow = 512, cellWidth = 2, labels = 76;
    const perUnit = 256 / film.pagesPerCell, gap = film.pagesPerCell <= 8 ? 4 : 0;
    const rows = Math.max(1, Math.ceil(film.cells / perRow));
    const height = Math.max(3, Math.min(20, Math.floor(360 / rows) - 3)), rowHeight = height + 3;
    const x = (column) => labels + column * cellWidth + Math.floor(column / perUnit) * gap;
    canvas.width = x(perRow - 1) + cellWidth;
    canvas.height = rows * rowHeight;
    const context = canvas.getContext("2d", { alpha: false });
    let colours = [];

    function draw(from, to, state) {
      context.fillStyle = colours[state];
      const size = gap > 0 ? perUnit : perRow;
      while (from < to) {
        const stop = Math.min(to, (Math.floor(from / size) + 1) * size);
        const column = from % perRow;
        context.fillRect(
          x(column), Math.floor(from / perRow) * rowHeight, (stop - from) * cellWidth, height);
        from = stop;
      }
    }
    function drawAll() {
      const style = getComputedStyle(document.documentElement);
      colours = film.kinds.map((kind) => style.getPropertyValue("--" + kind).trim());
      context.fillStyle = style.getPropertyValue("--ground").trim();
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.fillStyle = style.getPropertyValue("--text").trim();
      context.font = "13px system-ui, sans-serif";
      context.textAlign = "right";
      context.textBaseline = "middle";
      const every = Math.ceil(16 / rowHeight);
      for (let row = 0; row < rows; row += every) {
        const mebibytes = (row * perRow * film.pagesPerCell * film.pageSize) / 1048576;
        context.fillText(mebibytes + " MiB", labels - 8, row * rowHeight + height / 2 + 1);
      }
      for (let from = 0; from < cells.length;) {
        let to = from + 1;
        while (to < cells.length && cells[to] === cells[from]) to++;
        draw(from, to, cells[from]);
        from = to;
      }
    }

    // Figures, as pagetool map prints them.
    const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
    function memory(count) {
      let unit = 0;
      while (unit < 4 && Math.round((count / 1024 ** unit) * 10) >= 10240) unit++;
      const value = count / 1024 ** unit;
      const digits = Number.isInteger(value) || value >= 99.95 ? 0 : 1;
      return value.toFixed(digits) + [" bytes", " KiB", " MiB", " GiB", " TiB"][unit];
    }
    const share = (part, all) => (all === 0 ? 0 : (part / all) * 100).toFixed(1) + " %";

    function showFigures(frame) {
      const pages = film.pages[frame];
      const counts = film.counts.map((column) => column[frame]);
      const bytes = (states) => states.reduce((sum, s) => sum + counts[s] * film.pageSize, 0);
      counts.forEach((count, state) => {
        const row = element("row-" + film.kinds[state]);
        if (!row) return;
        [grouped(count), memory(count * film.pageSize), share(count, pages)].forEach(
          (text, column) => { row.cells[column + 1].textContent = text; });
      });
      const free = counts[4] + counts[5], longest = film.longest[frame];
      element("free").textContent = "Longest free run " + grouped(longest) + " pages (" +
        memory(longest * film.pageSize) + "), fragmentation " + share(free - longest, free) +
        " of what is free.";
      const step = "Step " + grouped(film.steps[frame]) + " of " + grouped(film.events);
      element("step").textContent = step;
      const words = step + ": " + memory(bytes([1, 2])) + " live, " +
        memory(bytes([1, 2, 3, 4])) + " resident, " + memory(bytes([5])) + " given back";
      slider.setAttribute("aria-valuetext", words);
      canvas.setAttribute("aria-label", "Map of the heap. " + words + ".");
    }

    // The cursor of the curves.
    const chart = document.querySelector("#chart svg");
    const cursor = document.createElementNS(chart.namespaceURI, "path");
    cursor.setAttribute("class", "cursor");
    chart.append(cursor);
    const distance = Math.max(1, film.steps[last] - film.steps[0]);
    const across = film.frame.right - film.frame.left;
    function showCursor(frame) {
      const at = film.frame.left + ((film.steps[frame] - film.steps[0]) / distance) * across;
      cursor.setAttribute("d", "M" + at + " " + film.frame.top + "V" + film.frame.bottom);
    }

    let current = -1;
    function show(frame) {
      frame = Math.max(0, Math.min(last, frame));
      if (frame === current) return;
      if (current >= 0 && frame === current + 1) {
        apply(frame, draw);
      } else {
        const key = Math.floor(frame / keep);
        cells.set(whole[key]);
        for (let next = key * keep + 1; next <= frame; next++) apply(next);
        drawAll();
      }
      current = frame;
      slider.value = frame;
      showFigures(frame);
      showCursor(frame);
      document.documentElement.dataset.frame = frame;
    }
    // The last frame that is not beyond a step.
    function frameAt(step) {
      let low = 0, high = last;
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if (film.steps[middle] <= step) low = middle; else high = middle - 1;
      }
      return low;
    }

    // Playing: so many frames a second.
    const speed = element("speed");
    let timer = null;
    function setPlaying(isPlaying) {
      clearInterval(timer);
      timer = isPlaying ? setInterval(playOn, 1000 / speed.value) : null;
      play.textContent = isPlaying ? "Stop" : "Play";
      if (isPlaying && current === last) show(0);
    }
    function playOn() {
      show(current + 1);
      if (current === last) setPlaying(false);
    }
    const isPlaying = () => timer !== null;
    speed.addEventListener("change", () => { if (isPlaying()) setPlaying(true); });
    play.addEventListener("click", () => setPlaying(!isPlaying()));
    slider.addEventListener("input", () => { setPlaying(false); show(Number(slider.value)); });

    chart.addEventListener("pointerdown", (event) => { chart.setPointerCapture(event.pointerId); });
    for (const kind of ["pointerdown", "pointermove"]) {
      chart.addEventListener(kind, (event) => {
        if (event.buttons !== 1) return;
        const box = chart.getBoundingClientRect();
        const at = ((event.clientX - box.left) / box.width) * film.frame.width;
        setPlaying(false);
        show(frameAt(film.steps[0] + ((at - film.frame.left) / across) * distance));
      });
    }

    const moves = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10,
      Home: -Infinity, End: Infinity };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      // What is pressed in a control is the control's; the slider knows all but the space bar.
      const inControl = event.target.closest("button, select");
      const inSlider = event.target === slider;
      if (event.key === " " && !inControl) {
        setPlaying(!isPlaying());
      } else if (event.key in moves && !inControl && !inSlider) {
        setPlaying(false);
        show(current + moves[event.key]);
      } else {
        return;
      }
      event.preventDefault();
    });

    // film.html#step=1234 begins there; else it begins where most is in use.
    function showHash() {
      const match = /^#step=(\d+)$/.exec(location.hash);
      if (match) show(frameAt(Number(match[1])));
      return match !== null;
    }
    window.addEventListener("hashchange", showHash);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
    slider.max = last;
    if (!showHash()) show(film.peak);
    document.documentElement.dataset.milliseconds = Math.round(performance.now());
    """#
}
