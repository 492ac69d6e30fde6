/** The page about a phone in English. */
import { phrase } from "../../notice/phrase.ts";
import type { SelfServiceWords } from "./words.ts";

export const en: SelfServiceWords = {
  tag: "en",
  languageName: "English",
  chooseLanguage: "Language",
  whenDone: phrase`Done? Then let us look again.`,
  check: "Check again",
  checkOnceMore: "Check once more",
  mayAskFrom: (clock) => phrase`You can check once more from ${clock}.`,
  checking: (name) => ({
    title: phrase`Checking your ${name}`,
    text: phrase`A new report is being asked for.`,
  }),
  sent: (name) => phrase`Your ${name} has been asked for a new report.`,
  answered: (name) => ({
    title: phrase`Your ${name} has answered`,
    text: phrase`What it says is being looked at.`,
  }),
  clear: (name) => ({
    title: phrase`All clear`,
    text: phrase`Nothing holds your mail back any more. Open the mail app on your ${name}: your mail comes by itself.`,
  }),
  back: (name) => ({
    title: phrase`Your mail is back`,
    text: phrase`Your ${name} is fetching its mail. You can close this page.`,
  }),
  well: (name, organisation) => ({
    title: phrase`All is well`,
    text: phrase`Your ${name} has everything that ${organisation} asks for. Mail comes as usual, and there is nothing for you to do.`,
  }),
  ends: {
    "no-source": (name) => ({
      title: phrase`Your ${name} reports by itself`,
      text: phrase`It cannot be asked from here. Its next report usually comes within the day, and your mail follows by itself. You do not have to wait here.`,
    }),
    "cannot-hurry": (name) => ({
      title: phrase`The next report comes by itself`,
      text: phrase`The report of your ${name} cannot be hurried. It usually comes within the day, and your mail follows by itself. You do not have to wait here.`,
    }),
    "source-refused": (_name, organisation) => ({
      title: phrase`That did not work`,
      text: phrase`The check could not be started. This is not your fault. Try once more, or ask the ${organisation} help desk.`,
    }),
    busy: () => ({
      title: phrase`Many phones are being checked`,
      text: phrase`There is no room for one more right now. Please try again in a few minutes. Your place is not lost: phones report by themselves, too.`,
    }),
    "no-answer": (name) => ({
      title: phrase`Your ${name} has not answered yet`,
      text: phrase`It may have been locked or offline. Unlock it, connect it to Wi-Fi or mobile data, and check once more.`,
    }),
    "still-there": (name) => ({
      title: phrase`It is still on your ${name}`,
      text: phrase`Your phone has answered, and something still has to be done. Go through the steps below, then check once more.`,
    }),
  },
  steps: {
    asked: () => phrase`Check asked for`,
    answered: (name) => phrase`Answer from your ${name}`,
    clear: () => phrase`All clear`,
    "mail-back": () => phrase`Your mail is back`,
  },
  done: "done",
  progress: "Progress",
  soFar: "Time so far",
  usually: (from, to) => phrase`This usually takes ${from} to ${to}. It may take longer.`,
  seconds: (count) => (count === 1 ? "1 second" : `${String(count)} seconds`),
  minutes: (count) => (count === 1 ? "1 minute" : `${String(count)} minutes`),
  unlock: (name) => phrase`Unlock your ${name} and keep this page open.`,
  keepOnline: (name) => phrase`Keep your ${name} unlocked and online.`,
  timesIn: (offset) => phrase`Times of day: ${offset}`,
  follows: phrase`This page follows by itself.`,
  looksAgain: (seconds) => phrase`This page looks again every ${String(seconds)} seconds.`,
  reload: "Look again now",
  whatWasFound: "What was found, and what to do",
  register: {
    one: (model) =>
      phrase`Is this your managed phone, ${model}? Some mail apps give a phone another name, so we cannot tell.`,
    itIs: "This is my managed phone",
    several: phrase`You have more than one managed phone, so we cannot tell which one this is.`,
    askOperator: "Ask IT",
    needsOperator: phrase`IT has to agree first.`,
    waiting: phrase`You have told us that this is your managed phone. IT has to agree; your mail then comes by itself.`,
    noPhone: phrase`We know no managed phone of yours that this could be. Go through the steps below.`,
  },
  tooOld: {
    title: phrase`This link is too old`,
    text: phrase`Open the mail app on your phone. If something is still to be done, the message there has a new link. If there is no such message, all is well.`,
  },
  noSuchPage: {
    title: phrase`This link does not work`,
    text: phrase`It may have been cut off on its way. Open it again from the message in your phone’s mail app.`,
  },
  away: {
    title: phrase`One moment, please`,
    text: phrase`We cannot look this up right now. Nothing is lost. Please try again in a minute.`,
  },
  tooMany: {
    title: phrase`That was a little fast`,
    text: phrase`This page has been asked for too often. Please wait a moment and load it again.`,
  },
};
