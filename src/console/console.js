// Times in the reader's zone. Without it they are in UTC, and say so.
"use strict";
const two = (number) => String(number).padStart(2, "0");
for (const time of document.querySelectorAll("time[data-as]")) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const minute = `${two(at.getHours())}:${two(at.getMinutes())}`;
  const shown = { second: `${day} ${minute}:${two(at.getSeconds())}`, minute: `${day} ${minute}`, clock: `${minute}:${two(at.getSeconds())}` };
  time.title = `${time.dateTime.slice(0, 19).replace("T", " ")} UTC`;
  time.textContent = shown[time.dataset.as] ?? time.textContent;
}
