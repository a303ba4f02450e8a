import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure } = german

export const machine: Texts['machine'] = {
  groups: {
    drawing: 'Zeichnen',
    trained: 'Was trainiert wird',
    learning: 'Lernen',
    holding: 'Nahe am Anfang bleiben',
    watching: 'Messen und Warnen',
    memory: 'Speicher und Geräte',
    keeping: 'Zwischenstände und Probebilder',
  },
  changed: (count) => `${figure(count)} geändert`,
  load: {
    title: 'Last',
    processor: 'Prozessor',
    memory: 'Speicher',
    gpu: (name) => `${name}: Auslastung`,
    gpuMemory: (name) => `${name}: Speicher`,
    coresOf: (cores, all) => `${cores} von ${counted(all, { one: 'Kern', other: 'Kernen' })}`,
    bytesOf: (bytes, all) => `${bytes} von ${all}`,
    brief: (cores, bytes) => `${cores} Kerne, ${bytes}`,
    lately: (title, low, high) => `${title} in den letzten Minuten: ${low} bis ${high}`,
  },
  disk: {
    left: (free, total) => `${free} von ${total} sind auf der Festplatte frei.`,
    low: 'Auf der Festplatte ist wenig Platz',
    lowWhy: (free) =>
      `${free} sind frei, und Aufträge scheitern, wenn sie nichts schreiben können. Löschen Sie Läufe, die niemand braucht.`,
    runs: 'Zu den Läufen',
    tooMuch: 'Das passt nicht auf die Festplatte',
    tooMuchWhy: (writes, free) =>
      `Es schreibt etwa ${writes}, und ${free} sind frei. Löschen Sie Läufe, behalten Sie weniger Zwischenstände, oder zeichnen Sie weniger Bilder.`,
  },
  presets: {
    title: 'Was passt',
    about: 'Füllt aus, was über den Speicherbedarf entscheidet: vorausgesagt allein aus Größen, mit etwas Reserve.',
    working: 'Es wird ausgerechnet, was in wie viel Speicher passt …',
    fits: (memory) => `Passt in ${memory}`,
    fitsHere: (memory) => `Passt in diesen Rechner, ${memory}`,
    takes: (bytes) => `etwa ${bytes}`,
    takesAndLasts: (bytes, time) => `etwa ${bytes}, ${time}`,
    nothingFits: (bytes) => `Nichts passt: Es braucht mindestens ${bytes}.`,
    nothingFitsWhole: (bytes) => `Nichts passt: Es braucht mindestens ${bytes}; Adapter brauchen weit weniger.`,
    setting: (title, value) => `${title} ${value}`,
    asItIs: 'wie üblich',
  },
}
