/**
 * The page's style sheet: light and dark by the reader's setting, or as whoever shows it says by `data-theme`; from a 360 px
 * phone upwards.
 */
import { colours } from './policy-look.ts'

/** What charts and tables stand on: the page, and the card of a chart. */
export const backgrounds = { light: ['#fdfdfc', '#ffffff'], dark: ['#14171b', '#1b1f25'] } as const

const [[paper, card], [darkPaper, darkCard]] = [backgrounds.light, backgrounds.dark]
const colourOf = (scheme: 'light' | 'dark') =>
  colours.map((colour) => `--${colour.className}: ${colour[scheme]};`).join(' ')

const light = `--paper: ${paper}; --card: ${card}; --ink: #1b1f24; --soft: #59616b; --rule: #d4d8dd; --grid: #e9ebee; --accent: #1f5fa8;
  --good: #177245; --bad: #b3261e; --unsure: #8a5a00; --good-bg: #e3f3ea; --bad-bg: #fbe7e5; --unsure-bg: #faf0d8;
  ${colourOf('light')}`
const dark = `--paper: ${darkPaper}; --card: ${darkCard}; --ink: #e6e8eb; --soft: #9fa7b1; --rule: #3b424b; --grid: #2a3037; --accent: #7db4f0;
  --good: #62cf95; --bad: #ff8a80; --unsure: #e8bd5a; --good-bg: #17352a; --bad-bg: #3f2220; --unsure-bg: #3a3018;
  ${colourOf('dark')}`

export const pageStyle = `
:root { color-scheme: light dark; ${light} }
@media (prefers-color-scheme: dark) { :root { ${dark} } }
:root[data-theme='light'] { color-scheme: light; ${light} }
:root[data-theme='dark'] { color-scheme: dark; ${dark} }
* { box-sizing: border-box; }
:root[data-inside] header { display: none; } :root[data-inside] main, :root[data-inside] footer { padding-left: 4px; padding-right: 4px; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: break-word;
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; }
main, header { max-width: 1160px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 44px; }
footer { max-width: 1160px; margin: 56px auto 0; padding: 16px 24px 40px; color: var(--soft); font-size: 13px; border-top: 1px solid var(--rule); }
h1 { font-size: 15px; font-weight: 600; letter-spacing: 0.02em; color: var(--accent); margin: 0 0 10px; }
h2 { font-size: 23px; line-height: 1.25; letter-spacing: -0.01em; margin: 56px 0 6px; padding-top: 18px; border-top: 1px solid var(--rule); }
h3 { font-size: 16px; margin: 26px 0 8px; }
p { max-width: 74ch; margin: 6px 0 14px; }
.headline { font-size: 22px; line-height: 1.45; letter-spacing: -0.005em; max-width: 62ch; margin: 0 0 18px; }
.soft, figcaption { color: var(--soft); font-size: 14px; }
.goals { list-style: none; padding: 0; margin: 8px 0; max-width: 1000px; }
.goals li { display: grid; grid-template-columns: 84px 1fr auto; gap: 4px 14px; align-items: baseline; padding: 7px 0; border-top: 1px solid var(--grid); font-size: 15px; }
.goals .found { color: var(--soft); font-variant-numeric: tabular-nums; text-align: right; }
.badge { font-size: 12px; font-weight: 600; text-align: center; border-radius: 4px; padding: 1px 6px; }
.badge.met { color: var(--good); background: var(--good-bg); }
.badge.missed { color: var(--bad); background: var(--bad-bg); }
.badge.unclear { color: var(--unsure); background: var(--unsure-bg); }
.caveats { margin: 14px 0 0; padding: 12px 18px 12px 34px; background: var(--unsure-bg); border-radius: 6px; max-width: 1000px; font-size: 15px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 6px 10px; vertical-align: top; font-weight: 400; }
th:first-child { text-align: left; padding-left: 0; }
thead th { font-weight: 600; border-bottom: 1.5px solid var(--ink); vertical-align: bottom; line-height: 1.3; }
tbody tr { border-bottom: 1px solid var(--grid); }
tbody th small { display: block; }
small { color: var(--soft); font-size: 13px; }
.scroll > .numbers { width: 100%; min-width: calc(230px + var(--columns) * 86px); table-layout: fixed; }
.numbers th:first-child { position: sticky; left: 0; background: var(--paper); }
.numbers thead small { display: block; font-weight: 400; } .arrow { font-weight: 400; } .arrow { color: var(--soft); }
.numbers thead th { overflow-wrap: anywhere; }
.numbers thead th:first-child { width: max(18%, 170px); }
.numbers td small { display: block; }
.numbers .group th { font-weight: 600; font-size: 14px; color: var(--soft); padding-top: 18px; border-bottom: 1px solid var(--rule); }
.numbers b { font-weight: 600; }
.up b { color: var(--good); } .down b { color: var(--bad); }
.plain td, .plain th { font-size: 14px; padding: 4px 10px; }
.plain th:first-child { padding-left: 0; }
td.left, th.left { text-align: left; }
.bar { display: block; height: 7px; border-radius: 2px; background: var(--accent); }
td.wide { width: 45%; vertical-align: middle; }
.key { display: inline-block; width: 9px; height: 9px; border-radius: 2px; margin-right: 6px; background: var(--c); }
.samples { width: 100%; min-width: calc(150px + var(--columns) * 66px); table-layout: fixed; margin-bottom: 12px; }
.samples th:first-child { width: 20%; }
.samples thead th, .samples td { text-align: left; padding: 8px 6px; }
.samples tbody th { font-size: 15px; line-height: 1.35; overflow-wrap: anywhere; padding-right: 14px; }
.samples tbody tr { vertical-align: top; }
.shots { display: flex; flex-wrap: wrap; gap: 6px; }
.shot { position: relative; display: block; width: 48px; border-bottom: 3px solid var(--m); line-height: 0; }
.shot.good { --m: var(--good); } .shot.bad { --m: var(--bad); } .shot.equal { --m: var(--soft); } .shot.unmarked { --m: transparent; }
.shot img { width: 48px; height: 48px; image-rendering: pixelated; background: var(--grid); }
.shot i { position: absolute; right: -3px; bottom: -7px; width: 15px; height: 15px; border-radius: 50%; font: 700 10px/15px system-ui, sans-serif; text-align: center; color: var(--card); background: var(--m); }
.large, .large thead, .large tbody { display: block; }
.large tr { display: grid; grid-template-columns: repeat(var(--columns), 1fr); column-gap: 26px; }
.large thead th:first-child { display: none; }
.large tbody th:first-child { grid-column: 1 / -1; width: auto; padding: 10px 0 0; }
.large thead th, .large td { padding: 6px 0 18px; min-width: 0; } .large thead th { padding-bottom: 6px; }
.large .shots { display: grid; grid-template-columns: repeat(auto-fit, minmax(100px, 1fr)); gap: 10px 8px; }
.large .shot { width: auto; max-width: 200px; }
.large .shot img { display: block; width: 100%; height: auto; image-rendering: auto; }
.large .shot i { width: 20px; height: 20px; bottom: -10px; font: 700 14px/20px system-ui, sans-serif; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; padding: 0; margin: 12px 0; font-size: 14px; }
.legend li { display: flex; align-items: center; gap: 6px; }
.legend svg { width: 14px; }
.charts { display: grid; gap: 20px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); align-items: start; }
.charts.two { grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
.beside { display: grid; gap: 20px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); align-items: start; }
figure { margin: 0; padding: 14px 14px 10px; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; }
figure svg { display: block; width: 100%; height: auto; max-width: 560px; margin: 0 auto; }
figcaption { margin-top: 6px; line-height: 1.4; }
svg text { font: 11.5px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .label, svg .row { font-size: 12px; fill: var(--ink); }
svg .strong { font-weight: 600; }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg .rule { stroke: var(--rule); stroke-width: 1; }
svg .diagonal { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 4; }
svg .whisker { stroke: var(--c); stroke-width: 2; stroke-linecap: round; }
svg .mark { fill: var(--c); stroke: var(--card); stroke-width: 1; }
svg .line { fill: none; stroke: var(--c); stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
svg .faint { stroke-width: 1; opacity: 0.35; }
${colours.map(({ className }) => `.${className} { --c: var(--${className}); }`).join(' ')} .reward { --c: var(--accent); }
.tiles { display: grid; gap: 14px; grid-template-columns: repeat(2, 1fr); margin: 0; padding: 0; }
.tiles div { border: 1px solid var(--rule); border-radius: 8px; background: var(--card); padding: 10px 14px; }
.tiles dt { color: var(--soft); font-size: 13px; line-height: 1.35; }
.tiles dd { margin: 2px 0 0; font-size: 25px; font-weight: 600; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.tiles.cost { grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); }
.tiles dd.note { font-size: 13px; font-weight: 400; letter-spacing: 0; color: var(--soft); }
.tiles dd b { font-weight: 600; }
.steps { max-width: 74ch; margin: 8px 0; padding-left: 24px; } .steps li { margin: 8px 0; }
.key-pictures { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 250px), 1fr)); margin: 18px 0 8px; }
.key-pictures figcaption { margin: 0 0 10px; color: var(--ink); font-weight: 600; overflow-wrap: anywhere; }
.key-row { display: grid; grid-template-columns: 84px 1fr; gap: 8px; align-items: center; margin: 8px 0; font-size: 13px; color: var(--soft); overflow-wrap: anywhere; }
.key-row .shots { display: grid; grid-template-columns: repeat(3, minmax(0, 96px)); } .key-row .shot { width: auto; } .key-row .shot img { display: block; width: 100%; height: auto; }
.fold { border-top: 1px solid var(--rule); margin: 0; font-size: 16px; } .fold > summary { padding: 12px 0; } .fold > summary h2 { display: inline; font-size: 18px; border: 0; padding: 0; margin: 0; }
main > section + .fold { margin-top: 48px; } .fold:last-child { border-bottom: 1px solid var(--rule); }
main > section:first-child h2 { border: 0; padding: 0; margin-top: 18px; }
.tiles.three { grid-template-columns: repeat(3, 1fr); max-width: 560px; margin-bottom: 14px; }
.terms { display: grid; grid-template-columns: 170px 1fr; gap: 8px 20px; max-width: 1000px; margin: 12px 0; font-size: 15px; }
.terms dt { font-weight: 600; } .terms dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 10px 0; font-size: 14px; } summary { cursor: pointer; color: var(--accent); }
.scroll { overflow-x: auto; }
@media (max-width: 720px) {
  main, header { padding: 0 16px; } header { padding-top: 26px; } footer { padding: 14px 16px 30px; }
  .headline { font-size: 18px; } h2 { font-size: 20px; margin-top: 42px; } .fold > summary h2 { font-size: 17px; } .key-row { grid-template-columns: 64px 1fr; }
  .goals li { grid-template-columns: 72px 1fr; } .goals .found { grid-column: 2; text-align: left; font-size: 14px; }
  .scroll > .numbers { font-size: 13px; min-width: calc(84px + var(--columns) * 64px); } .numbers th, .numbers td { padding: 5px 3px; overflow-wrap: anywhere; } .numbers thead th:first-child { width: 84px; } .numbers th:first-child { padding-left: 0; }
  .numbers thead th { font-size: 11px; overflow-wrap: anywhere; } .numbers .key { display: block; margin: 0 0 3px auto; } .numbers small { font-size: 11px; line-height: 1.35; } .numbers .group th { width: auto; padding-top: 16px; }
  .plain td, .plain th { padding: 4px 5px; font-size: 13px; } .plain td small { display: block; }
  svg text, svg .label, svg .row { font-size: 13px; }
  .samples thead th:first-child { display: none; } .samples, .samples thead, .samples tbody { display: block; } .samples { min-width: calc(var(--columns) * 76px); }
  .samples tr { display: grid; grid-template-columns: repeat(var(--columns), minmax(76px, 1fr)); }
  .samples tbody th { grid-column: 1 / -1; width: auto; padding: 10px 0 0; } .samples thead th { font-size: 12px; padding: 4px 3px; overflow-wrap: anywhere; } .samples td { padding: 8px 3px 12px; }
  .samples tbody th:first-child { width: auto; }
  .shots { gap: 7px 4px; } .shot, .shot img { width: 36px; } .shot img { height: 36px; }
  .large tr { column-gap: 10px; } .large thead th { padding: 4px 0; } .large td { padding: 6px 0 14px; } .large .shots { gap: 9px 4px; grid-template-columns: repeat(auto-fit, minmax(70px, 1fr)); }
  .terms { grid-template-columns: 1fr; gap: 2px; } .terms dd { margin-bottom: 10px; }
  figure { padding: 10px 8px 8px; }
}
@media print { .fold::details-content { content-visibility: visible; } figure, .samples tr, .goals li { break-inside: avoid; } }
`
