import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, fixed, form, listed } = german

export const playground: Texts['playground'] = {
  about:
    'Zeichnet einen Prompt mit mehreren Policies aus demselben Rauschen. Behalten wird nur, was Sie behalten wollen.',
  prompt: 'Prompt',
  knownWords: 'Wörter, die das Modell kennt',
  words: { counts: 'wie viele', colors: 'Farbe', objects: 'Gegenstand', backgrounds: 'Hintergrund' },
  emptyPrompt: 'Prompt leeren',
  imagesOfEach: 'Bilder je Policy',
  seed: 'Startwert',
  steps: 'Schritte',
  guidance: 'Guidance',
  negative: 'Nicht zeigen',
  draw: 'Zeichnen',
  drawKey: 'Strg+Enter',
  again: 'Noch einmal',
  newNoise: 'Neues Rauschen',
  stop: 'Anhalten',
  drawn: 'Gezeichnet',
  nothing: 'Noch ist nichts gezeichnet',
  sameNoise: 'Jede Reihe von Bildern beginnt mit demselben Rauschen, sodass sich nur die Policies unterscheiden.',
  keptInLabel: 'Nach dem, was Sie behalten, wird gefragt unter',
  keptInGallery: 'und es steht in der',
  gallery: 'Galerie',

  policies: 'Policies, nebeneinander',
  policy: (number) => `Policy Nr. ${number}`,
  runs: 'Policies',
  loras: 'LoRA-Dateien',
  removePolicy: (number) => `Policy Nr. ${number} entfernen`,
  addPolicy: 'Policy hinzufügen',
  strength: 'Stärke',
  strengthOf: (number) => `Stärke von Policy Nr. ${number}`,
  strengthHints: {
    adapters: 'Stärke ihrer Adapter: 0 ist das vortrainierte Modell, 1 wie trainiert',
    weights: 'Stärke zwischen den vortrainierten Gewichten (0) und ihren eigenen (1) und darüber hinaus',
  },
  atStrength: (policy, strength) => `${policy}, Stärke ${fixed(strength, 2)}`,

  waitsFor: (drawings) =>
    `davor ${form(drawings, { one: 'kommt', other: 'kommen' })} noch ${counted(drawings, { one: 'Zeichnung', other: 'Zeichnungen' })}`,
  waiting: 'Wartet auf das Modell',
  loading: 'Das Modell wird geladen',
  drawing: 'Zeichnet',
  stopped: 'Angehalten',
  done: (time, seed) => `In ${time} gezeichnet, Startwert ${seed}`,
  sampling: (count, guidance) =>
    `${counted(count, { one: 'Schritt', other: 'Schritte' })}, Guidance ${figure(guidance)}`,
  seconds: (seconds) => `${fixed(seconds, 1)} Sekunden`,
  progress: 'Fortschritt beim Zeichnen',

  drawsOn: (device, beside) =>
    `Zeichnet auf ${device ?? 'der CPU'}${beside.length > 0 ? `, wo auch ${listed(beside)} ${form(beside.length, { one: 'läuft', other: 'laufen' })}: vorerst langsamer` : ''}.`,
  loadedFirst: 'Das Modell wird beim ersten Zeichnen geladen.',
  staysLoaded: (minutes) =>
    `Das Modell bleibt nach dem letzten Zeichnen ${counted(minutes, { one: 'Minute', other: 'Minuten' })} im Speicher. Ein Auftrag, der eine GPU braucht, geht vor.`,
  freeMemory: 'Speicher freigeben',
  jobsFirst: (devices) =>
    `Aufträge gehen vor: ${devices.map(({ id, has, wait }) => `${id} ${has.length > 0 ? `hat ${has.join(', ')}` : `ist für ${wait.join(', ')} vorgesehen`}`).join('; ')}. Gezeichnet wird wieder, wenn eine GPU frei ist.`,

  by: (prompt, policy, image) => `${prompt} (${policy}), Bild ${image}`,
  keep: 'Behalten',
  kept: 'Wird behalten',
  keepThis: (what) => `${what} behalten`,
  thereAlready: 'Dieses Bild hat das Studio schon',
  better: 'Besser',
  betterThis: (what) => `Besser: ${what}`,
}
