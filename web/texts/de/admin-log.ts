import type { Texts } from '../en.ts'

export const adminLog: Texts['adminLog'] = {
  downloadAll: 'Alles herunterladen',
  about:
    'Jede Änderung, von Hand oder mit einem Schlüssel, und wie es vorher und nachher war. Niemand kann diese Liste ändern.',
  nothing: 'Noch wurde nichts geändert.',
  byKey: 'mit dem Schlüssel',
  refused: (why) => `abgelehnt: ${why}`,
  acts: {
    'Invite somebody; the link is told once.': 'Hat jemanden eingeladen.',
    'Withdraw an invitation; who has accepted it is signed out everywhere, and is nobody any more.':
      'Hat einen Zugang entzogen.',
    'Make a rater an admin, or an admin a rater, in all sessions at once.': 'Hat geändert, was jemand darf.',
    'Let several policies draw the same prompts with the same noise.': 'Hat einen Vergleich begonnen.',
    'See which policy drew what, which ends the own votes on this comparison.': 'Hat einen Vergleich aufgedeckt.',
    'Leave answers out of training, keep them whatever speaks against them, or take such a decision back.':
      'Hat über Antworten entschieden: ausgeschlossen, behalten oder die Entscheidung zurückgenommen.',
    'Ask the raters of these answers once more, before everything else.': 'Hat Antworten noch einmal abfragen lassen.',
    'Ask nobody about these images any more, or again; nothing is deleted.': 'Hat Bilder archiviert oder zurückgeholt.',
    'Queue a stage.': 'Hat einen Auftrag gegeben.',
    'End a job; training and drawing can be resumed.': 'Hat einen Auftrag beendet.',
    'Queue a stopped or failed job again.': 'Hat einen Auftrag fortsetzen lassen.',
    'Draw sample images at the next step.': 'Hat Probebilder zeichnen lassen.',
    'Make a key for scripts; it is told once.': 'Hat einen Schlüssel für Skripte angelegt.',
    'Revoke a key: no script comes in by it any more.': 'Hat einen Schlüssel widerrufen.',
    'Change what raters are told; earlier versions stay on record, and nobody is asked about an example.':
      'Hat die Richtlinien geändert.',
    'Change how raters are asked.': 'Hat geändert, wie gefragt wird.',
    'State the answer of an image, by which raters are checked, or take it back.':
      'Hat die bekannte Antwort eines Goldbildes geändert.',
    'Choose the checkpoint and the encoder that the studio is started with.':
      'Hat Checkpoint und Encoder gewählt, mit denen das Studio startet.',
    'What a hub has under a name: its size and its licence.': 'Hat nach einem Modell auf einem Hub gefragt.',
    'Download a model whose licence was read and accepted, or go on with a download.':
      'Hat ein Modell herunterladen lassen.',
    'End a download; what has arrived stays, and the next one goes on with it.': 'Hat ein Herunterladen beendet.',
    'Bring a checkpoint in one .safetensors file.': 'Hat einen Checkpoint hochgeladen.',
    'Remove a checkpoint that lies in the workspace in one file.': 'Hat einen Checkpoint entfernt.',
    'Bring a LoRA file that fits the model of the studio.': 'Hat eine LoRA-Datei hochgeladen.',
    'Remove a LoRA file.': 'Hat eine LoRA-Datei entfernt.',
    'Set or change your password; all other sessions of your account end.': 'Hat das eigene Passwort gesetzt.',
    'Draw a prompt by several policies from the same noise. A line of JSON for each thing that happens, as it happens.':
      'Hat auf der Spielwiese gezeichnet.',
    'Keep images that were drawn lately, to be judged.': 'Hat Bilder der Spielwiese behalten.',
    'End the process that draws, which gives back the memory of the model.':
      'Hat den Speicher der Spielwiese freigegeben.',
    'What would become of prompts: repeats, too long ones, words that the model does not know.': 'Hat Prompts geprüft.',
    'The prompts of a file: .txt, .csv, .tsv, .jsonl or .json, as the command line reads them.':
      'Hat Prompts aus einer Datei gelesen.',
    'Leave a rater out of training, or take one in again; nothing is deleted.':
      'Hat jemandes Antworten vom Training ausgeschlossen oder wieder aufgenommen.',
    'Let a policy draw a round of images.': 'Hat eine Runde zeichnen lassen.',
    'Give a run a title, archive it, or take it back.': 'Hat einen Lauf umbenannt, archiviert oder zurückgeholt.',
    'Delete a run; where others were made from it, only with the names of all of them.': 'Hat einen Lauf gelöscht.',
    'Ask one more rater about labels: who has not judged them is asked about them first.':
      'Hat zu strittigen Fragen eine dritte Person fragen lassen.',
    'Make such a link; it is told once.': 'Hat einen Link zum Teilen angelegt.',
    'Withdraw a link: it shows nothing any more.': 'Hat einen geteilten Link zurückgezogen.',
    'Add judgments of a file: all of them, or none where one is wrong.': 'Hat Urteile eingelesen.',
    'Pictures of one’s own with their prompts, as a round; those that cannot be read are named.':
      'Hat eigene Bilder hochgeladen.',
  },
}
