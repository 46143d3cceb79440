// DocC writes its pages for a web server at the root of a host. This makes them work wherever they
// lie, and also opened from disk, where a browser loads no data but as scripts, and a link to a
// folder does not lead to the page in it.
(function () {
  "use strict";
  // Where the site lies; DocC's own scripts look for it in this variable.
  const root = new URL(".", document.currentScript.src).pathname;
  window.baseUrl = root;
  if (location.protocol !== "file:") return;

  // Each file of data has another one beside it, `NAME.js`, which sets this variable.
  window.fetch = (address) =>
    new Promise((resolve, reject) => {
      const path = new URL(address, location.href).pathname;
      const script = document.createElement("script");
      script.src = path.replace(/\/index\.html\.json$/, ".json") + ".js";
      script.onload = () => resolve(new Response(JSON.stringify(window.siteData)));
      script.onerror = () => reject(new TypeError("there is no " + script.src));
      document.head.append(script);
    });

  // A link within the site leads to the page in the folder.
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest("a[href]");
      if (!link || !link.pathname.startsWith(root + "documentation/")) return;
      event.preventDefault();
      event.stopPropagation();
      const page = link.pathname.replace(/(\/index\.html)?\/?$/, "/index.html");
      location.href = page + link.hash;
    },
    true);
})();
