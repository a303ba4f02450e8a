import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted } = german

export const models: Texts['models'] = {
  title: 'Modelle',
  about: 'Was die Bilder zeichnet, womit Belohnungen sehen, und was sonst noch hier liegt.',

  inUse: {
    title: 'In Gebrauch',
    checkpoint: 'Checkpoint',
    embedded: (model) => `${model}, eingebaut`,
    encoder: 'Encoder der Belohnungen',
    ownEncoder: 'der des Checkpoints',
    noEncoder: 'keiner',
    newestReward: 'Neueste Belohnung',
    noReward: 'noch keine',
    restart: 'Starten Sie das Studio neu, um zu wechseln',
    restartWhy: (model, encoder) =>
      `Ab dem nächsten Start nimmt es ${model}${encoder === null ? '' : ` mit dem Encoder ${encoder}`}, sofern die Befehlszeile mit --model kein anderes nennt. Bilder und Urteile bleiben, wie sie sind.`,
    encoderNeeded:
      'Belohnungen, die hier trainiert werden, brauchen einen Encoder: Wählen Sie unten ein CLIPModel, oder starten Sie das Studio mit --encoder.',
  },

  here: {
    title: 'Vorhanden',
    where: 'Im gemeinsamen Speicher der Hugging-Face-Bibliotheken und im Ordner „models“ dieses Studios.',
    embedded: 'eingebaut: farbige Formen, um alles in Minuten auszuprobieren',
    none: 'Noch liegt kein anderes Modell hier: Holen Sie unten eines, oder bringen Sie eines mit.',
    use: 'Benutzen',
    useNamed: (model) => `${model} benutzen`,
    used: 'in Gebrauch',
    usedNext: 'ab dem nächsten Start',
    kinds: { checkpoint: 'zeichnet Bilder', encoder: 'Encoder der Belohnungen', reward: 'Belohnung' },
    licence: (name) => `Lizenz ${name}`,
    noLicence: 'Lizenz hier nicht bekannt',
    lookedAt: 'Wird angesehen …',
    parts: 'Teile und Größe',
  },

  bringing: {
    choose: 'Checkpoint mitbringen',
    drop: 'in einer .safetensors-Datei: wählen oder hier ablegen',
    progress: 'Die Datei wird gesendet',
    sent: (share) => `${share} gesendet`,
    lookedAt: 'Wird angesehen …',
    isHere: (file) => `${file} ist hier.`,
  },
  removing: {
    remove: 'Entfernen',
    removeNamed: (model) => `${model} entfernen`,
    removeIt: (model) => `${model} entfernen?`,
    removeWhat:
      'Die Datei wird aus diesem Studio gelöscht. Läufe, die damit entstanden sind, bleiben, lassen sich aber nicht wiederholen.',
  },

  fetching: {
    title: 'Nach Namen holen',
    from: 'Vom Hugging-Face-Hub oder von dem, den HF_ENDPOINT nennt; nur was hier gelesen wird.',
    name: 'Name des Modells',
    nameForm: 'Besitzer/Name',
    precision: 'Genauigkeit',
    asPublished: 'wie veröffentlicht',
    half: (precision) => `${precision}, halb so groß`,
    look: 'Nachsehen',
    looking: 'Wird nachgesehen …',
    files: (count, size) => `${counted(count, { one: 'Datei', other: 'Dateien' })}, ${size}`,
    missing: (size) => `davon noch ${size} zu holen`,
    licence: 'Lizenz:',
    noLicence: 'der Hub nennt keine',
    readLicence: 'Auf der Seite des Modells lesen',
    accept: 'Ich habe die Lizenz gelesen und nehme sie an',
    download: 'Herunterladen',
    downloadOf: (model) => `Download von ${model}`,
    begun: (when) => `begonnen ${when}`,
    stop: 'Anhalten',
    goOn: 'Fortsetzen',
  },

  loras: {
    title: 'LoRA-Dateien',
    about:
      'Von diffusers, PEFT, den Skripten von kohya oder ComfyUI, für den Checkpoint in Gebrauch. In der Spielwiese lässt sich mit ihnen zeichnen, und eine Policy kann mit einer beginnen.',
    toPlayground: 'Zur Spielwiese',
    toPolicy: 'Policy trainieren',
    choose: 'Datei auswählen',
    lookedAt: 'Wird angesehen …',
    drop: 'oder eine .safetensors-Datei hier ablegen',
    fits: (file) => `${file} passt`,
    facts: (layers, rank, form, trainedOn) =>
      `${counted(layers, { one: 'Schicht', other: 'Schichten' })}${rank === null ? '' : `, Rang ${rank}`}, in der Form von ${form}${trainedOn === null ? '' : `; nach eigener Angabe mit ${trainedOn} trainiert`}.`,
  },
}
