/** The page about a phone in Chinese, in simplified characters. */
import type { SelfServiceWords } from "./words.ts";
import { phrase, spaced } from "../../notice/zh-hans.ts";

export const zhHans: SelfServiceWords = {
  tag: "zh-Hans",
  languageName: "简体中文",
  chooseLanguage: "语言",
  whenDone: phrase`已完成？我们再检查一次。`,
  check: "重新检查",
  checkOnceMore: "再检查一次",
  mayAskFrom: (clock) => phrase`${clock}之后可以再检查一次。`,
  checking: (name) => ({
    title: phrase`正在检查您的${name}`,
    text: phrase`正在请求新的状态报告。`,
  }),
  sent: (name) => phrase`已向您的${name}请求新的状态报告。`,
  answered: (name) => ({
    title: phrase`您的${name}已回应`,
    text: phrase`正在查看回应的内容。`,
  }),
  clear: (name) => ({
    title: phrase`一切正常`,
    text: phrase`您的邮件不再暂停接收。请在您的${name}上打开邮件应用，邮件会自动收到。`,
  }),
  back: (name) => ({
    title: phrase`您的邮件已恢复`,
    text: phrase`您的${name}正在接收邮件。您可以关闭此页面。`,
  }),
  well: (name, organisation) => ({
    title: phrase`一切正常`,
    text: phrase`您的${name}符合${organisation}的要求。邮件照常接收，您无需做任何操作。`,
  }),
  ends: {
    "no-source": (name) => ({
      title: phrase`您的${name}会自动报告`,
      text: phrase`无法从这里请求检查。下一次报告通常在当天送达，之后邮件会自动恢复。您无需在此等候。`,
    }),
    "cannot-hurry": (name) => ({
      title: phrase`下一次报告会自动送达`,
      text: phrase`您的${name}的报告无法加快。通常在当天送达，之后邮件会自动恢复。您无需在此等候。`,
    }),
    "source-refused": (_name, organisation) => ({
      title: phrase`未能成功`,
      text: phrase`检查未能开始。这不是您的问题。请再试一次，或联系${organisation}的服务台。`,
    }),
    busy: () => ({
      title: phrase`正在检查的设备较多`,
      text: phrase`目前暂时无法再检查一台设备。请几分钟后再试。设备也会自动报告。`,
    }),
    "no-answer": (name) => ({
      title: phrase`您的${name}尚未回应`,
      text: phrase`设备可能已锁定或未联网。请解锁设备，连接无线网络或移动数据，然后再检查一次。`,
    }),
    "still-there": (name) => ({
      title: phrase`您的${name}上还有事项需要处理`,
      text: phrase`设备已回应，但原因仍然存在。请按照下面的步骤操作，然后再检查一次。`,
    }),
  },
  steps: {
    asked: () => phrase`请求检查`,
    answered: (name) => phrase`收到您的${name}的回应`,
    clear: () => phrase`确认一切正常`,
    "mail-back": () => phrase`恢复邮件`,
  },
  done: "已完成",
  progress: "进度",
  soFar: "已用时间",
  usually: (from, to) => phrase`通常需要${from}到${to}，也可能更久。`,
  seconds: (count) => spaced(`${String(count)}秒`),
  minutes: (count) => spaced(`${String(count)}分钟`),
  unlock: (name) => phrase`请解锁您的${name}，并保持此页面打开。`,
  keepOnline: (name) => phrase`请保持您的${name}解锁并联网。`,
  timesIn: (offset) => phrase`时间：${offset}`,
  follows: phrase`此页面会自动更新。`,
  looksAgain: (seconds) => phrase`此页面每${String(seconds)}秒更新一次。`,
  reload: "立即更新",
  whatWasFound: "发现的内容和处理步骤",
  register: {
    one: (model) => phrase`这是您的受管理设备（${model}）吗？有些邮件应用会使用不同的设备名称，因此我们无法识别。`,
    itIs: "这是我的受管理设备",
    several: phrase`您有多台受管理设备，因此我们无法判断这是哪一台。`,
    askOperator: "请 IT 部门确认",
    needsOperator: phrase`需要先由 IT 部门同意。`,
    waiting: phrase`您已说明这是您的受管理设备。需要 IT 部门同意，之后邮件会自动恢复。`,
    noPhone: phrase`我们没有找到您名下可能与此相符的受管理设备。请按照下面的步骤操作。`,
  },
  tooOld: {
    title: phrase`此链接已过期`,
    text: phrase`请打开设备上的邮件应用。如果仍有事项需要处理，其中的消息会有新的链接。如果没有这样的消息，则一切正常。`,
  },
  noSuchPage: {
    title: phrase`此链接无效`,
    text: phrase`链接可能在传送途中被截断。请从设备邮件应用中的消息再次打开。`,
  },
  away: {
    title: phrase`请稍候`,
    text: phrase`目前无法查询。不会丢失任何内容。请一分钟后再试。`,
  },
  tooMany: {
    title: phrase`操作过于频繁`,
    text: phrase`此页面的访问次数过多。请稍候片刻，然后重新加载。`,
  },
};
