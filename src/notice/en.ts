/** Every English word that a person reads. No blame, no terms of the trade, and nothing that is not certain. */
import type { Platform } from "../policy/device.ts";
import type { Language, Matter, PageWords, Setting, Telling } from "./language.ts";
import { phrase } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";

const names: Readonly<Record<Platform, string>> = {
  ios: "iPhone",
  ipados: "iPad",
  android: "Android phone",
  macos: "Mac",
  windows: "Windows device",
  other: "device",
};

function nameOf(platform: Platform | undefined): string {
  return platform === undefined ? "phone" : names[platform];
}

function tell(matter: Matter, setting: Setting): Telling {
  const { organisation } = setting;
  const name = nameOf(setting.platform);
  switch (matter.kind) {
    case "apps": {
      const [app, ...others] = matter.apps;
      const several = others.length > 0;
      const what = several ? phrase`${String(matter.apps.length)} apps` : phrase`${app}`;
      return {
        subject: phrase`Remove ${what} from your ${name} to get your mail back`,
        title: phrase`Remove ${what} to get your mail back`,
        why: several
          ? phrase`${organisation} does not allow certain apps on phones that read company mail. ${what} of that kind are on this ${name}, so your mail is held back here until they are gone.`
          : phrase`${organisation} does not allow ${app} on phones that read company mail. It is on this ${name}, so your mail is held back here until the app is gone.`,
        steps: [...removal(matter, setting), reporting(setting)],
        after: afterReport,
      };
    }
    case "reported":
      return {
        subject: phrase`Your ${name} needs a change before your mail comes back`,
        title: phrase`This ${name} needs a change before your mail comes back`,
        why: phrase`${organisation} shows mail on phones that are set up the way it asks. Something on this ${name} is not set up that way yet, so your mail is held back here.`,
        steps: [
          setting.manager === undefined
            ? phrase`Open the app with which ${organisation} looks after this ${name}. It shows what to change.`
            : phrase`Open ${setting.manager} on this ${name}. It shows what to change.`,
          phrase`Make the change, then let the app check the ${name} again.`,
        ],
        after: afterReport,
      };
    case "switched-off":
      return {
        subject: phrase`Mail is switched off on your ${name}`,
        title: phrase`Mail is switched off on this ${name}`,
        why:
          matter.why === undefined
            ? phrase`The IT team of ${organisation} has switched off mail on this ${name}.`
            : phrase`The IT team of ${organisation} has switched off mail on this ${name}. The reason it gave: “${matter.why}”.`,
        steps: [
          phrase`Ask the ${organisation} help desk what is needed. Give them the phone ID from the end of this message.`,
        ],
        after: phrase`As soon as the IT team has switched mail on again, it comes back by itself within seconds.`,
      };
    case "not-enrolled":
      return {
        subject: phrase`Set up your ${name} with ${organisation} to get your mail`,
        title: phrase`${organisation} does not know this ${name} yet`,
        why: phrase`${organisation} shows mail on phones that are set up for work. This ${name} is not, as far as we can see, so your mail is held back here.`,
        steps: [
          phrase`Set up this ${name} for work with your ${organisation} account. The help desk knows which app to use for it.`,
          phrase`Go through to the last step and keep the ${name} online.`,
          phrase`Is it set up already? Then your mail app may go by a name of its own. Give the help desk the phone ID from the end of this message.`,
        ],
        after: phrase`Your mail comes back by itself within seconds after ${organisation} knows this ${name}.`,
      };
    case "owner-mismatch":
      return {
        subject: phrase`Your ${name} is registered to someone else`,
        title: phrase`This ${name} is registered to someone else`,
        why: phrase`${organisation} shows your mail on phones that are registered to you. Our records name someone else for this ${name}, so your mail is held back here. That can happen when a phone changes hands.`,
        steps: [
          phrase`Is it yours now? Set it up again for work, with your own ${organisation} account.`,
          phrase`Or ask the help desk to put it in your name. Give them the phone ID from the end of this message.`,
        ],
        after: phrase`Your mail comes back by itself within seconds after the ${name} is registered to you.`,
      };
    case "stale":
      return {
        subject: phrase`Your ${name} needs to check in to get your mail back`,
        title: phrase`This ${name} has not checked in for a while`,
        why: phrase`${organisation} shows mail on phones that have checked in during the last ${spanOf(matter.maxAgeHours)}. ${checkedIn(matter.reportedAt, name)}, so your mail is held back here.`,
        steps: [
          phrase`Connect this ${name} to Wi-Fi or mobile data.`,
          setting.manager === undefined
            ? phrase`Open the app with which ${organisation} looks after the ${name}, and wait until it has finished checking.`
            : phrase`Open ${setting.manager} and wait until it has finished checking.`,
          phrase`If nothing has changed after ten minutes, restart the ${name} and open the app once more.`,
        ],
        after: afterReport,
      };
    case "uninspectable":
      return {
        subject: phrase`Your ${name} needs to be checked before your mail comes back`,
        title: phrase`This ${name} could not be checked`,
        why: phrase`${organisation} does not allow ${list(matter.apps)} on phones that read company mail. The way this ${name} is set up, nobody can tell whether ${matter.apps.length === 1 ? "it is" : "they are"} there, so your mail is held back here.`,
        steps: [
          setting.manager === undefined
            ? phrase`Open the app with which ${organisation} looks after this ${name}, and finish whatever it asks for.`
            : phrase`Open ${setting.manager} on this ${name} and finish whatever it asks for.`,
          phrase`If it asks for nothing, give the help desk the phone ID from the end of this message.`,
        ],
        after: afterReport,
      };
    case "record-unreadable":
      return {
        subject: phrase`Your mail is held back: our record of your ${name} has a fault`,
        title: phrase`Our record of this ${name} has a fault`,
        why: phrase`You have done nothing wrong. A part of what ${organisation} has on record about this ${name} cannot be read, so we cannot tell whether mail may be shown here.`,
        steps: [
          phrase`Tell the help desk, and give them the details from the end of this message.`,
          setting.manager === undefined
            ? phrase`Keep the ${name} online: its next report may put the record right.`
            : phrase`Open ${setting.manager} and let it check the ${name}: a new report may put the record right.`,
        ],
        after: phrase`Your mail comes back by itself within seconds after the record has been put right.`,
      };
    case "nothing-known":
      return {
        subject: phrase`Your mail is held back on your ${name} for now`,
        title: phrase`Your mail is held back for now`,
        why: phrase`${organisation} could not find out enough about this ${name} to show your mail here.`,
        steps: [phrase`Ask the help desk. Give them the phone ID from the end of this message.`],
        after: phrase`Your mail comes back by itself within seconds after this has been cleared up.`,
      };
  }
}

const afterWarning = phrase`This message goes away by itself after the phone has reported. You do not have to tell anyone.`;

/** Mail still flows: what has to be done so that it goes on. */
function warn(matter: Matter, { organisation, platform }: Setting): Omit<Telling, "steps"> {
  const name = nameOf(platform);
  if (matter.kind === "apps") {
    const [app, ...others] = matter.apps;
    const what = others.length > 0 ? phrase`${String(matter.apps.length)} apps` : phrase`${app}`;
    return {
      subject: phrase`Remove ${what} from your ${name} to keep your mail`,
      title: phrase`Remove ${what} to keep your mail`,
      why: phrase`${organisation} does not allow ${list(matter.apps)} on phones that read company mail. You still get your mail on this ${name}. Once the time below is over, it is held back here until what was found is gone.`,
      after: afterWarning,
    };
  }
  if (matter.kind === "stale") {
    return {
      subject: phrase`Your ${name} needs to check in`,
      title: phrase`This ${name} has not checked in for a while`,
      why: phrase`${organisation} asks phones that read company mail to check in every ${spanOf(matter.maxAgeHours)}. ${checkedIn(matter.reportedAt, name)}. You still get your mail here.`,
      after: afterWarning,
    };
  }
  return {
    subject: phrase`Please look after your ${name} to keep your mail`,
    title: phrase`This ${name} needs to be looked after`,
    why: phrase`${organisation} could not find out all that it has to know about this ${name}. You still get your mail here.`,
    after: afterWarning,
  };
}

function also(matter: Matter, { organisation, platform, manager }: Setting): Phrase {
  const name = nameOf(platform);
  switch (matter.kind) {
    case "apps":
      return phrase`These are on the ${name} as well, and ${organisation} asks you to remove them: ${list(matter.apps)}.`;
    case "reported":
      return manager === undefined
        ? phrase`Something else on this ${name} has to change as well. The app with which ${organisation} looks after it shows what it is.`
        : phrase`Something else on this ${name} has to change as well. ${manager} shows what it is.`;
    case "switched-off":
      return phrase`The IT team has switched off mail on this ${name} as well.`;
    case "not-enrolled":
      return phrase`This ${name} has to be set up for work as well.`;
    case "owner-mismatch":
      return phrase`This ${name} is registered to someone else as well.`;
    case "stale":
      return phrase`${checkedIn(matter.reportedAt, name)}. It has to check in before your mail comes back.`;
    case "uninspectable":
      return phrase`Nobody can tell whether ${list(matter.apps)} ${matter.apps.length === 1 ? "is" : "are"} on this ${name}. The help desk can say what is needed.`;
    case "record-unreadable":
      return phrase`A part of our record of this ${name} cannot be read. Please tell the help desk.`;
    case "nothing-known":
      return phrase`Please ask the help desk as well.`;
  }
}

const afterReport = phrase`Your mail comes back by itself within seconds after the phone has reported. You do not have to tell anyone.`;

type Apps = Extract<Matter, { kind: "apps" }>;

/** The words on the buttons are those that each system shows. */
function removal({ apps, onlyInWorkProfile }: Apps, { platform }: Setting): Phrase[] {
  const [app] = apps;
  const icon = apps.length === 1 ? phrase`${app}` : phrase`each of these apps`;
  switch (platform) {
    case "ios":
    case "ipados":
      return [
        phrase`Find ${icon}: swipe down on the Home Screen and type its name. Touch and hold the icon.`,
        phrase`Tap “Delete App”, or “Remove App” and then “Delete App”. Taking it off the Home Screen is not enough.`,
      ];
    case "android":
      return [
        phrase`Open your list of apps and touch and hold ${icon}. Tap “Uninstall”, or “App info” and then “Uninstall”.`,
        onlyInWorkProfile
          ? phrase`It was found in your work profile: look under “Work” in the list of apps.`
          : phrase`If your apps are split into “Personal” and “Work”, look in both.`,
      ];
    case "macos":
    case "windows":
    case "other":
    case undefined:
      return [phrase`Delete or uninstall ${icon}. Taking away its icon is not enough.`];
  }
}

function reporting({ manager, platform, organisation }: Setting): Phrase {
  const name = nameOf(platform);
  return manager === undefined
    ? phrase`Keep the ${name} online: it reports the change by itself. Opening the app with which ${organisation} looks after it makes that faster.`
    : phrase`Open ${manager} and let it check the ${name}, so that the change is reported at once.`;
}

function checkedIn(reportedAt: string | undefined, name: string): string {
  return reportedAt === undefined
    ? `This ${name} has not checked in lately`
    : `This ${name} last checked in on ${reportedAt}`;
}

function spanOf(hours: number): string {
  if (hours >= 48 && hours % 24 === 0) return `${String(hours / 24)} days`;
  return hours === 1 ? "hour" : `${String(hours)} hours`;
}

function list(data: readonly Datum[]): Phrase {
  const shown = data.slice(0, 3);
  const named = shown.flatMap((datum, index) => (index === 0 ? [datum] : [", ", datum]));
  const more = data.length - shown.length;
  return more === 0 ? named : phrase`${named} and ${String(more)} more`;
}

const page: PageWords = {
  title: "Please use your phone’s mail app",
  why: (organisation) =>
    phrase`This address shows ${organisation} mail on computers. It looks as if you have opened it in the browser of a phone or tablet, so your mail is not shown here.`,
  stepsHeading: "Where your mail is",
  steps: (organisation) => [
    phrase`On this phone: open the mail app that is set up for ${organisation}. If it shows one message with something to do first, follow the steps in it.`,
    phrase`On a computer: open this same address in the browser there.`,
  ],
  mistakenHeading: "Is this a computer?",
  mistaken: phrase`Some browsers on computers can pass for a phone, for instance with an add-on or in a developer view. Switch that off and load this page again.`,
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`Questions? The ${organisation} help desk is glad to help.`
      : phrase`Questions? Please ask the ${organisation} help desk.`,
  helpLink: "Go to the help desk",
  problem: "Mail in the browser is for computers. On a phone, please use the mail app.",
};

export const en: Language = {
  tag: "en",
  dateLocale: "en-GB",
  zoned: (dateAndTime, offset, place) =>
    place === undefined ? `${dateAndTime} (${offset})` : `${dateAndTime} (${place} time, ${offset})`,
  tell,
  also,
  instead: phrase`For now, this message stands in for your inbox.`,
  found: {
    heading: "What was found",
    shownAs: (name) => phrase`On this phone it is called ${name}`,
    at: (moment) => phrase`Found: ${moment}`,
    due: (moment) => phrase`To be removed by: ${moment}`,
    dueNow: phrase`To be removed now`,
    rule: (title) => phrase`Rule: ${title}`,
    more: (count) => phrase`and ${String(count)} more`,
    unnamed: "An app without a name",
  },
  warned: {
    tell: warn,
    stepsHeading: "How to keep your mail",
    meanwhile: {
      heading: "In the meantime",
      items: [phrase`Your mail keeps coming, on this phone and on your computer.`],
    },
  },
  stepsHeading: "How to get your mail back",
  meanwhile: {
    heading: "In the meantime",
    items: [
      phrase`Mail on your computer works as usual, in the mail program and in the browser.`,
      phrase`Nothing is lost. New mail waits for you on the server, and what you have written on this phone will be sent once your mail is back.`,
    ],
  },
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`Questions? The ${organisation} help desk is glad to help:`
      : phrase`Questions? Please ask the ${organisation} help desk.`,
  details: {
    heading: "For the help desk",
    phone: "Phone",
    phoneId: "Phone ID",
    account: "Account",
    fields: "Unreadable",
    phoneName: nameOf,
  },
  page,
};
