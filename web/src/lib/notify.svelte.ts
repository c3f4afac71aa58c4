/**
 * Telling somebody who looks elsewhere that they were spoken to. Asked for only when switched on by hand; where the
 * browser has no notifications (plain http), the switch is not there.
 */

import { keep, recall } from './store';

class Notifier {
  readonly possible = typeof Notification === 'function' && window.isSecureContext;
  on = $state(false);
  blocked = $state(false);

  constructor() {
    this.on = this.possible && Notification.permission === 'granted' && recall('localStorage', 'notify') === 'on';
  }

  async turn(on: boolean): Promise<void> {
    if (!this.possible) return;
    const granted = on && (await Notification.requestPermission()) === 'granted';
    this.blocked = on && !granted;
    this.on = granted;
    keep('localStorage', 'notify', granted ? 'on' : null);
  }

  tell(title: string, text: string): void {
    if (!this.on) return;
    try {
      const shown = new Notification(title, { body: text, tag: 'chatroom' });
      shown.onclick = () => {
        window.focus();
        shown.close();
      };
    } catch {
      // Some phones have the name but only let service workers use it.
      this.on = false;
    }
  }
}

export const notifier = new Notifier();
