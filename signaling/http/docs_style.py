"""The look of the documentation pages: the colours and sizes of the product's other pages."""

STYLE = """
:root { color-scheme: light; --bg: #f5f6f8; --surface: #fff; --soft: #eceff2; --line: #dce1e7;
  --text: #151a21; --muted: #586270; --accent: #0b756b; --accent-soft: #d8eeea; }
@media (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --bg: #0f1317; --surface: #171c22; --soft: #222931;
    --line: #2a323b; --text: #e9edf1; --muted: #9ea9b6; --accent: #42c9b5;
    --accent-soft: #143b37; }
}
*, *::before, *::after { box-sizing: border-box; }
html { scroll-padding-top: 76px; }
body { margin: 0; background: var(--bg); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
a { color: var(--accent); text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
header { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 4px 20px;
  align-items: center; min-height: 60px; padding: 8px 20px; background: var(--surface);
  border-bottom: 1px solid var(--line); }
header strong { display: flex; gap: 10px; align-items: center; margin-right: auto;
  font-weight: 650; }
header img { width: 28px; height: 28px; }
header nav { display: flex; flex-wrap: wrap; gap: 4px 16px; }
header a { color: var(--muted); font-weight: 550; text-decoration: none; }
header a:hover, header a[aria-current] { color: var(--text); }
.page { display: grid; grid-template-columns: 200px minmax(0, 1fr); gap: 32px;
  max-width: 1180px; margin: 0 auto; padding: 24px 20px 64px; }
aside { position: sticky; top: 84px; align-self: start; max-height: calc(100vh - 100px);
  overflow-y: auto; }
aside ul { margin: 0; padding: 0; list-style: none; }
aside a { display: block; padding: 4px 10px; border-radius: 8px; color: var(--muted);
  text-decoration: none; }
aside a:hover { background: var(--soft); color: var(--text); }
h1 { margin: 0 0 8px; font-size: 1.75rem; font-weight: 650; letter-spacing: -.02em; }
h2 { margin: 40px 0 12px; font-size: 1.2rem; font-weight: 600; }
p { margin: 0 0 12px; }
.muted { color: var(--muted); }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  overflow-wrap: anywhere; }
details { margin-bottom: 8px; background: var(--surface); border: 1px solid var(--line);
  border-radius: 12px; }
summary { display: grid; grid-template-columns: 68px minmax(0, 1.4fr) minmax(0, 1fr);
  gap: 12px; align-items: baseline; padding: 10px 16px; cursor: pointer; list-style: none; }
summary.event { grid-template-columns: minmax(0, 1fr) minmax(0, 1.6fr); }
summary::-webkit-details-marker { display: none; }
summary:hover { background: var(--soft); border-radius: 12px; }
summary span:last-child { color: var(--muted); }
.verb { padding: 1px 0; border-radius: 8px; background: var(--accent-soft); text-align: center;
  font-size: .75rem; font-weight: 650; }
.inside { padding: 4px 16px 16px; border-top: 1px solid var(--line); }
.inside h3 { margin: 14px 0 4px; color: var(--muted); font-size: .8rem; font-weight: 600; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th { color: var(--muted); font-size: .8rem; font-weight: 600; }
tr:last-child td { border-bottom: 0; }
code[id] { white-space: nowrap; }
.needed { color: var(--accent); font-size: .75rem; font-weight: 650; }
.card { padding: 4px 16px; background: var(--surface); border: 1px solid var(--line);
  border-radius: 12px; }
@media (max-width: 800px) {
  .page { grid-template-columns: minmax(0, 1fr); gap: 16px; padding: 16px 16px 48px; }
  aside { position: static; max-height: none; }
  aside ul { display: flex; flex-wrap: wrap; gap: 4px; }
  aside a { background: var(--soft); }
  header { position: static; }
  html { scroll-padding-top: 16px; }
  summary, summary.event { grid-template-columns: 68px minmax(0, 1fr); }
  summary.event { grid-template-columns: minmax(0, 1fr); gap: 2px; }
  summary span:last-child { grid-column: 1 / -1; }
}
"""
