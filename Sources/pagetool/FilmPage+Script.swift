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

    // Frames: `starts` says where the changes of each begin, `whole` has every 32nd one: its cells
    // and, a unit of 2 MiB each, whether a huge page backs them.
    const keep = 32, whole = [], starts = [0];
    const perUnit = film.pagesPerHugePage / film.pagesPerCell;
    const cells = new Uint8Array(film.cells);
    const huge = new Uint8Array(Math.ceil(film.cells / perUnit));
    for (const count of film.bytes) starts.push(starts.at(-1) + count);

    // Makes the changes of a frame; each stretch of cells is shown to `draw`, each unit to
    // `outline`.
    function apply(frame, draw, outline) {
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
      for (const unit of film.huge ? film.huge[frame] : []) {
        huge[unit] ^= 1;
        if (outline) outline(unit);
      }
    }
    for (let frame = 0; frame <= last; frame++) {
      apply(frame);
      if (frame % keep === 0) whole.push({ cells: cells.slice(), huge: huge.slice() });
    }

    // The map: rows of 512 cells, with room between huge pages, and for their frames, where cells
    // are small.
    const perRow = 512, cellWidth = 2, labels = 76;
    const gap = film.pagesPerCell <= 8 ? 4 : 0, rowGap = 4, edge = 2;
    const rows = Math.max(1, Math.ceil(film.cells / perRow));
    const height = Math.max(3, Math.min(20, Math.floor(360 / rows) - rowGap));
    const x = (column) => labels + column * cellWidth + Math.floor(column / perUnit) * gap;
    const y = (row) => edge + row * (height + rowGap);
    canvas.width = x(perRow - 1) + cellWidth + edge;
    canvas.height = y(rows);
    const context = canvas.getContext("2d", { alpha: false });
    let colours = [], groundColour = "", frameColour = "";

    function draw(from, to, state) {
      context.fillStyle = colours[state];
      const size = gap > 0 ? perUnit : perRow;
      while (from < to) {
        const stop = Math.min(to, (Math.floor(from / size) + 1) * size);
        const column = from % perRow;
        context.fillRect(
          x(column), y(Math.floor(from / perRow)), (stop - from) * cellWidth, height);
        from = stop;
      }
    }
    // The frame of a unit, or the ground where no huge page backs it any more: a dot wide, a dot
    // away from the cells.
    function outline(unit) {
      if (gap === 0) return;
      const cell = unit * perUnit;
      context.strokeStyle = huge[unit] ? frameColour : groundColour;
      context.strokeRect(x(cell % perRow) - 1.5, y(Math.floor(cell / perRow)) - 1.5,
        perUnit * cellWidth + 3, height + 3);
    }
    function drawAll() {
      const style = getComputedStyle(document.documentElement);
      colours = film.kinds.map((kind) => style.getPropertyValue("--" + kind).trim());
      groundColour = style.getPropertyValue("--ground").trim();
      frameColour = style.getPropertyValue("--faint").trim();
      context.fillStyle = groundColour;
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.fillStyle = style.getPropertyValue("--text").trim();
      context.font = "13px system-ui, sans-serif";
      context.textAlign = "right";
      context.textBaseline = "middle";
      const every = Math.ceil(16 / (height + rowGap));
      for (let row = 0; row < rows; row += every) {
        const mebibytes = (row * perRow * film.pagesPerCell * film.pageSize) / 1048576;
        context.fillText(mebibytes + " MiB", labels - 8, y(row) + height / 2 + 1);
      }
      for (let from = 0; from < cells.length;) {
        let to = from + 1;
        while (to < cells.length && cells[to] === cells[from]) to++;
        draw(from, to, cells[from]);
        from = to;
      }
      for (let unit = 0; unit < huge.length; unit++) if (huge[unit]) outline(unit);
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
      const units = huge.reduce((sum, isHuge) => sum + isHuge, 0);
      element("huge").textContent = !film.huge ? "" : grouped(units) + " huge page" +
        (units === 1 ? "" : "s") + " of 2 MiB" +
        (units > 0 && gap > 0 ? "; each has a frame." : ".");
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
        apply(frame, draw, outline);
      } else {
        const key = Math.floor(frame / keep);
        cells.set(whole[key].cells);
        huge.set(whole[key].huge);
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
