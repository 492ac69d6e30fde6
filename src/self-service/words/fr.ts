/** The page about a phone in French. The names of devices are masculine there and begin with a vowel, so one sentence fits each. */
import { phrase } from "../../notice/fr.ts";
import type { SelfServiceWords } from "./words.ts";

export const fr: SelfServiceWords = {
  tag: "fr",
  languageName: "Français",
  chooseLanguage: "Langue",
  whenDone: phrase`C’est fait ? Nous regardons à nouveau.`,
  check: "Vérifier à nouveau",
  checkOnceMore: "Vérifier encore une fois",
  mayAskFrom: (clock) => phrase`Vous pourrez relancer la vérification à partir de ${clock}.`,
  checking: (name) => ({
    title: phrase`Vérification de votre ${name}`,
    text: phrase`Une nouvelle synchronisation est demandée.`,
  }),
  sent: (name) => phrase`La demande a été envoyée à votre ${name}.`,
  answered: (name) => ({
    title: phrase`Votre ${name} a répondu`,
    text: phrase`Sa réponse est en cours d’examen.`,
  }),
  clear: (name) => ({
    title: phrase`Tout est en ordre`,
    text: phrase`Vos e-mails ne sont plus retenus. Ouvrez l’app de messagerie de votre ${name} : ils arrivent d’eux-mêmes.`,
  }),
  back: (name) => ({
    title: phrase`Vos e-mails sont de retour`,
    text: phrase`Votre ${name} récupère ses e-mails. Vous pouvez fermer cette page.`,
  }),
  well: (name, organisation) => ({
    title: phrase`Tout est en ordre`,
    text: phrase`Votre ${name} répond à ce que demande ${organisation}. Les e-mails arrivent normalement et vous n’avez rien à faire.`,
  }),
  ends: {
    "no-source": (name) => ({
      title: phrase`Votre ${name} se synchronise de lui-même`,
      text: phrase`Il ne peut pas être interrogé d’ici. La prochaine synchronisation a lieu en général dans la journée, et vos e-mails suivent d’eux-mêmes. Inutile d’attendre ici.`,
    }),
    "cannot-hurry": (name) => ({
      title: phrase`La prochaine synchronisation se fera d’elle-même`,
      text: phrase`La synchronisation de votre ${name} ne peut pas être accélérée. Elle a lieu en général dans la journée, et vos e-mails suivent d’eux-mêmes. Inutile d’attendre ici.`,
    }),
    "source-refused": (_name, organisation) => ({
      title: phrase`Cela n’a pas fonctionné`,
      text: phrase`La vérification n’a pas pu commencer. Vous n’y êtes pour rien. Réessayez, ou demandez à l’assistance de ${organisation}.`,
    }),
    busy: () => ({
      title: phrase`Beaucoup d’appareils sont en cours de vérification`,
      text: phrase`Il n’y a pas de place pour un de plus en ce moment. Réessayez dans quelques minutes. Les appareils se synchronisent aussi d’eux-mêmes.`,
    }),
    "no-answer": (name) => ({
      title: phrase`Votre ${name} n’a pas encore répondu`,
      text: phrase`Il était peut-être verrouillé ou hors ligne. Déverrouillez-le, connectez-le au Wi-Fi ou aux données mobiles, puis vérifiez encore une fois.`,
    }),
    "still-there": (name) => ({
      title: phrase`Il reste quelque chose à faire sur votre ${name}`,
      text: phrase`L’appareil a répondu, et la raison est toujours là. Suivez les étapes ci-dessous, puis vérifiez encore une fois.`,
    }),
  },
  steps: {
    asked: () => phrase`Vérification demandée`,
    answered: (name) => phrase`Réponse de votre ${name}`,
    clear: () => phrase`Tout est en ordre`,
    "mail-back": () => phrase`Vos e-mails sont de retour`,
  },
  done: "fait",
  progress: "Progression",
  soFar: "Temps écoulé",
  usually: (from, to) => phrase`Cela prend en général de ${from} à ${to}. Cela peut durer plus longtemps.`,
  seconds: (count) => (count === 1 ? "1 seconde" : `${String(count)} secondes`),
  minutes: (count) => (count === 1 ? "1 minute" : `${String(count)} minutes`),
  unlock: (name) => phrase`Déverrouillez votre ${name} et laissez cette page ouverte.`,
  keepOnline: (name) => phrase`Gardez votre ${name} déverrouillé et connecté.`,
  timesIn: (offset) => phrase`Heures indiquées : ${offset}`,
  follows: phrase`Cette page se met à jour d’elle-même.`,
  looksAgain: (seconds) => phrase`Cette page se recharge toutes les ${String(seconds)} secondes.`,
  reload: "Regarder maintenant",
  whatWasFound: "Ce qui a été constaté et ce qu’il faut faire",
  register: {
    one: (model) =>
      phrase`Est-ce votre appareil géré, ${model} ? Certaines apps de messagerie donnent un autre nom à l’appareil, et nous ne le reconnaissons pas.`,
    itIs: "C’est mon appareil géré",
    several: phrase`Vous avez plusieurs appareils gérés, et nous ne pouvons pas savoir lequel est celui-ci.`,
    askOperator: "Demander au service informatique",
    needsOperator: phrase`Le service informatique doit d’abord donner son accord.`,
    waiting: phrase`Vous avez indiqué que c’est votre appareil géré. Le service informatique doit donner son accord ; vos e-mails reviendront ensuite d’eux-mêmes.`,
    noPhone: phrase`Nous ne connaissons aucun appareil géré à votre nom qui puisse être celui-ci. Suivez les étapes ci-dessous.`,
  },
  tooOld: {
    title: phrase`Ce lien est trop ancien`,
    text: phrase`Ouvrez l’app de messagerie de votre appareil. S’il reste quelque chose à faire, le message qui s’y trouve contient un nouveau lien. S’il n’y en a pas, tout est en ordre.`,
  },
  noSuchPage: {
    title: phrase`Ce lien ne fonctionne pas`,
    text: phrase`Il a peut-être été coupé en chemin. Ouvrez-le à nouveau depuis le message dans l’app de messagerie de votre appareil.`,
  },
  away: {
    title: phrase`Un instant, s’il vous plaît`,
    text: phrase`Nous ne pouvons pas regarder pour le moment. Rien n’est perdu. Réessayez dans une minute.`,
  },
  tooMany: {
    title: phrase`C’était un peu rapide`,
    text: phrase`Cette page a été demandée trop souvent. Attendez un instant, puis rechargez-la.`,
  },
};
