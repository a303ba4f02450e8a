import type { Texts } from '../en.ts'

export const names: Texts['names'] = {
  stages: {
    'images generate': {
      title: 'Bilder zeichnen',
      sentence: 'Zeichnet Bilder zu Prompts, damit Menschen sie bewerten.',
    },
    'images upload': {
      title: 'Bilder hochladen',
      sentence: 'Nimmt eigene Bilder mit ihren Prompts auf, zum Bewerten.',
    },
    'reward train': {
      title: 'Belohnung trainieren',
      sentence: 'Lernt aus allen Urteilen, die zählen, was Menschen mögen, um jedes Bild zu einem Prompt zu bewerten.',
    },
    'policy best-of-n': { title: 'Bestes aus n', sentence: 'Nimmt von je n Bildern das mit der höchsten Belohnung.' },
    'policy reward-weighted': {
      title: 'Training mit Reward-weighted',
      sentence:
        'Lernt von schon gezeichneten Bildern, jedes nach seiner Belohnung gewichtet (Lee et al. 2023), oder in Runden von neuen.',
    },
    'policy dpo': {
      title: 'Training mit DPO',
      sentence:
        'Lernt aus Paaren von Bildern, welches besser ist, ohne Belohnung und ohne zu zeichnen (Wallace et al. 2023).',
    },
    'policy nft': {
      title: 'Training mit DiffusionNFT',
      sentence:
        'Zeichnet Bilder zu jedem Prompt, auf beliebige Weise, und lernt an neu verrauschten, was die besseren ausmacht (Zheng et al. 2025).',
    },
    'policy draft': {
      title: 'Training mit DRaFT',
      sentence:
        'Folgt dem Gradienten der Belohnung durch die letzten Schritte des Zeichnens (Clark et al. 2023), bis eine Belohnung fällt, die es nicht sieht.',
    },
    'policy dpok': {
      title: 'Training mit DPOK',
      sentence:
        'Zeichnet Bilder, bewertet sie mit der Belohnung und lernt daraus, nahe am Anfang gehalten (Fan et al. 2023).',
    },
    'policy grpo': {
      title: 'Training mit GRPO',
      sentence:
        'Zeichnet mehrere Bilder zu jedem Prompt und lernt aus denen, die besser sind als die übrigen ihres Prompts (Liu et al. 2025).',
    },
    'policy ddpo': {
      title: 'Training mit DDPO',
      sentence:
        'Zeichnet Bilder und lernt aus denen, die besser sind als die letzten zu ihrem Prompt (Black et al. 2023).',
    },
    report: {
      title: 'Bericht schreiben',
      sentence:
        'Misst Policies mit Prompts und Rauschen, die kein Training benutzt hat, und schreibt report.html und report.json.',
    },
  },
  metrics: {
    reward_mean: 'Mittlere Belohnung',
    reward_std: 'Streuung der Belohnung',
    kl: 'KL',
    value_loss: 'Verlust der Wertfunktion',
    policy_loss: 'Verlust der Policy',
    train_loss: 'Verlust beim Training',
    validation_loss: 'Verlust an Zurückgelegtem',
    heldout_loss: 'Verlust an Zurückgelegtem',
    heldout_accuracy: 'Trefferquote an Zurückgelegtem',
    accuracy: 'Trefferquote',
    alignment: 'Treue zum Prompt',
    alignment_color: 'Treue zum Prompt: Farben',
    alignment_count: 'Treue zum Prompt: Anzahlen',
    alignment_background: 'Treue zum Prompt: Hintergründe',
    alignment_combination: 'Treue zum Prompt: Kombinationen',
    alignment_score: 'Treue zum Prompt',
    alarm_level: 'Nähe zu einem Alarm',
    labels: 'Antworten',
    comparisons: 'Vergleiche',
    prompts: 'Prompts',
    raters: 'Bewertende',
    images: 'Bilder',
    imagesDrawn: 'Gezeichnete Bilder',
    images_drawn: 'Gezeichnete Bilder',
    updates: 'Schritte',
    rewardMean: 'Mittlere Belohnung',
    pairs: 'Paare',
    good: 'Gut',
    bad: 'Schlecht',
    width: 'Breite',
    height: 'Höhe',
    skips: 'Ausgelassen',
    rankings: 'Reihenfolgen',
    ratings: 'Mit Punkten',
  },
}
