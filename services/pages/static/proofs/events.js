/** Events as sentences, in Russian and in English, from what each says itself. */

export const EVENTS = {
  AccountOpened: ["Открыт счёт: {customer_name}, договор {contract_number}", "Account opened: {customer_name}, contract {contract_number}"],
  CustomerChanged: ["Новые данные заказчика с {effective_on}", "New data of the customer from {effective_on}"],
  PackagePurchased: ["Куплен пакет {package_id} ({plan}): {minutes} мин, {price_kopecks}", "Bought package {package_id} ({plan}): {minutes} min, {price_kopecks}"],
  PackageRefunded: ["Возвращён остаток {lot_id}: {refunded_minutes} мин, {refunded_kopecks}", "Refunded what was left of {lot_id}: {refunded_minutes} min, {refunded_kopecks}"],
  TaskPlanned: ["Запланирована задача {task_id}: {planned_minutes} мин", "Planned task {task_id}: {planned_minutes} min"],
  PlanDropped: ["План задачи {task_id} снят: {reason}", "Plan of task {task_id} dropped: {reason}"],
  TaskClosed: ["Закрыта задача {task_id} «{title}»: {worked_minutes} × {coefficient} = {charged_minutes} мин", "Closed task {task_id} “{title}”: {worked_minutes} × {coefficient} = {charged_minutes} min"],
  TaskCorrected: ["Исправлена задача {task_id} «{title}»: {worked_minutes} × {coefficient} = {charged_minutes} мин; {reason}", "Corrected task {task_id} “{title}”: {worked_minutes} × {coefficient} = {charged_minutes} min; {reason}"],
  WarrantyMarked: ["Задача {task_id} — гарантия: {reason}", "Task {task_id} is under warranty: {reason}"],
  TaskReopened: ["Задача {task_id} открыта снова: {reason}", "Task {task_id} reopened: {reason}"],
  HoursCarriedOver: ["{minutes} мин перенесены из {from_package_id} в {to_package_id}", "{minutes} min carried from {from_package_id} to {to_package_id}"],
  PackageExpired: ["Пакет {package_id} закончился, сгорело {forfeited_minutes} мин", "Package {package_id} ended, {forfeited_minutes} min forfeited"],
  DebtSettled: ["Долг по задаче {task_id} погашен часами {lot_id}: {minutes} мин", "Debt of task {task_id} settled by hours of {lot_id}: {minutes} min"],
  DebtPaid: ["Долг оплачен: {minutes} мин, {amount_kopecks}, {payment_reference}", "Debt paid: {minutes} min, {amount_kopecks}, {payment_reference}"],
  WorkSuspended: ["Работы приостановлены: {reason}", "Work suspended: {reason}"],
  WorkResumed: ["Работы возобновлены", "Work resumed"],
  MonthClosed: ["Закрыт месяц {month}", "Month {month} closed"],
  MonthReopened: ["Месяц {month} открыт снова: {reason}", "Month {month} reopened: {reason}"],
};
