import type { Texts } from '../en.ts'

export const settings: Texts['settings'] = {
  accepted: (expected) => `Möglich: ${expected}.`,
  noChoice: 'Es gibt noch keine.',
  onePerLine: 'eine Angabe je Zeile',
  labels: {
    policy: 'Policy',
    prompts: 'Prompts',
    promptCount: 'Anzahl der Prompts',
    perPrompt: 'Bilder je Prompt',
    heldOut: 'Zurückgelegt zum Messen',
    epochs: 'Durchgänge',
    seed: 'Seed',
    reward: 'Belohnung',
    images: 'Bilder',
    updates: 'Schritte',
    pretrainingWeight: 'Gewicht des Vortrainings',
    imagesDrawn: 'Gezeichnete Bilder',
    groupSize: 'Bilder je Gruppe',
    heldOutReward: 'Unbeteiligte Belohnung',
    beta: 'Beta',
    lastSteps: 'Letzte Schritte',
    klWeight: 'Gewicht der KL',
    promptMemory: 'Gedächtnis je Prompt',
    policies: 'Policies',
    imagesPerPrompt: 'Bilder je Prompt',
    bestOf: 'Bestes aus',
    device: 'Gerät',
    workers: 'Prozesse zugleich',
    negativePrompt: 'Negativer Prompt',
    steps: 'Schritte beim Zeichnen',
    guidance: 'Guidance',
    batchSize: 'Auf einmal im Speicher',
    learningRate: 'Lernrate',
    resolution: 'Größe der Bilder',
    rank: 'Rang der Adapter',
  },
  hints: {
    'Run that trained the policy, or a LoRA file; the pre-trained model without it.':
      'Lauf, in dem die Policy trainiert wurde, oder eine LoRA-Datei; ohne Angabe das vortrainierte Modell.',
    'Prompts, one a line; some of the embedded model’s own without them.':
      'Ein Prompt je Zeile; ohne Angabe einige, die das eingebaute Modell mitbringt.',
    'How many of the embedded model’s own prompts, where none are given: those drawn least so far.':
      'Wie viele der mitgebrachten Prompts, wenn keine angegeben sind: die bisher am seltensten gezeichneten.',
    'Images of each prompt; a run numbers a million at most.':
      'Bilder zu jedem Prompt; ein Lauf hat höchstens eine Million.',
    'Share of the prompts that measure the reward; 0 measures nothing.':
      'Anteil der Prompts, an denen die Belohnung gemessen wird; bei 0 wird nicht gemessen.',
    'Passes over the labels; a million take days.': 'Wie oft alle Antworten gelesen werden; eine Million dauert Tage.',
    'Seed of the split, the first weights, the order of the labels and the resampling.':
      'Seed für die Aufteilung, die ersten Gewichte, die Reihenfolge der Antworten und die Stichproben.',
    'The reward that scores the images.': 'Die Belohnung, nach der die Bilder bewertet werden.',
    'Rounds of images, labelled or not.': 'Runden von Bildern, bewertet oder nicht.',
    'Gradient steps; a hundred million take years on any machine.':
      'Schritte des Lernens; hundert Millionen dauern auf jedem Rechner Jahre.',
    'Weight β of the pre-training loss.': 'Gewicht β für das, was das Modell vorher konnte.',
    'Images that it draws itself, of the prompts of those given; 0 learns from the given ones alone. With more the updates are divided among rounds: the first learns from the given images, each further one from new images of the policy of that moment.':
      'Bilder, die es selbst zeichnet, zu den Prompts der gegebenen; bei 0 lernt es nur aus den gegebenen. Sonst verteilen sich die Schritte auf Runden: Die erste lernt aus den gegebenen Bildern, jede weitere aus neuen.',
    'Run whose policy is trained further; the pre-trained model without it, which stays the reference.':
      'Lauf, dessen Policy weiter trainiert wird; ohne Angabe das vortrainierte Modell, das der Maßstab bleibt.',
    'Seed of everything that is random.': 'Seed für alles, was zufällig ist.',
    'Images of a prompt that are drawn together and compared with each other.':
      'Bilder eines Prompts, die zusammen gezeichnet und miteinander verglichen werden.',
    'Another reward, which a training does not see: an alarm is raised where it falls while the trained one rises.':
      'Eine andere Belohnung, die das Training nicht sieht: Fällt sie, während die trainierte steigt, gibt es einen Alarm.',
    'β: how dearly the policy pays for leaving the pre-trained model. Without it 200 for models that train what reads the prompt, as shapes, and 2000 for real checkpoints (the paper: 2000 for SD 1.5, 5000 for SDXL).':
      'β: wie teuer es ist, sich vom vortrainierten Modell zu entfernen. Ohne Angabe 200 für Modelle wie shapes und 2000 für echte Checkpoints (im Artikel 2000 für SD 1.5, 5000 für SDXL).',
    'Images drawn in all; a hundred million take years on any machine.':
      'Bilder insgesamt; hundert Millionen dauern auf jedem Rechner Jahre.',
    'K: how many of the last steps have gradients with draft, at most so many with alignprop, and of how many refl stops at one; as many as there are where it is more. Without it 1 with draft, all with alignprop, and a quarter with refl.':
      'K: durch wie viele der letzten Schritte bei draft Gradienten gehen, höchstens bei alignprop, und bei wie vielen refl stehen bleiben kann. Ohne Angabe 1 bei draft, alle bei alignprop, ein Viertel bei refl.',
    'Roll-outs in all; a hundred million take years on any machine.':
      'Bilder insgesamt; hundert Millionen dauern auf jedem Rechner Jahre.',
    'Weight β of the KL to the pre-trained model, per nat.': 'Gewicht β der KL zum vortrainierten Modell, je Nat.',
    'Weight of the KL to the pre-trained model, per nat; at 0 it is not computed.':
      'Gewicht der KL zum vortrainierten Modell, je Nat; bei 0 wird sie nicht berechnet.',
    'Latest rewards of each prompt that its mean and deviation are of; until a prompt has as many, those of the whole iteration are used.':
      'Aus so vielen letzten Belohnungen eines Prompts werden Mittel und Streuung berechnet; bis es so viele sind, aus denen des ganzen Durchgangs.',
    'Trained policies to compare, in the order of the page; its headline is about the last one.':
      'Trainierte Policies im Vergleich, in dieser Reihenfolge; die Überschrift handelt von der letzten.',
    'Images of each prompt and policy; all are in memory at once.':
      'Bilder je Prompt und Policy; alle liegen zugleich im Speicher.',
    'Images among which best-of-n picks; 1 leaves it out.':
      'Aus so vielen Bildern wird das beste gewählt; bei 1 entfällt es.',
    'Where to compute: automatic is the CPU.': 'Wo gerechnet wird: automatisch auf der CPU.',
    'Where to compute: automatic is the GPU.': 'Wo gerechnet wird: automatisch auf der GPU.',
    'Where to compute: automatic is the first GPU that is free.':
      'Wo gerechnet wird: automatisch auf der ersten freien GPU.',
    'Where to compute: automatic is the first GPU that is free. Several GPUs share the work, one process each.':
      'Wo gerechnet wird: automatisch auf der ersten freien GPU. Mehrere teilen sich die Arbeit, ein Prozess je GPU.',
    'Processes that share the work, each on a GPU of its own, or on the CPU with its part of the cores.':
      'Prozesse, die sich die Arbeit teilen, jeder auf einer eigenen GPU oder mit seinem Teil der Kerne.',
  },
  automatic: 'automatisch',
  empty: {
    policy: 'vortrainiertes Modell',
    prompts: 'die aller Runden',
    scorer: 'keine',
    heldOutReward: 'keine',
    reward: 'keine',
    mixedPrecision: 'aus',
    latents: 'neues Rauschen',
  },
}
