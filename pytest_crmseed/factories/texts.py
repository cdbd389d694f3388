"""Texts that the values of tickets, products, orders and activities are made of."""

from __future__ import annotations

# -- tickets: what it is about → what the customer writes ----------------------------------------------
TICKETS = {
    "Access for a new colleague": "Please set up an account with the same rights as the rest of the team.",
    "Cannot log in after password reset": "The link in the mail was accepted, the new password is not.",
    "Charged twice for one month": "Two invoices came for the same period; please credit one of them.",
    "Dashboard shows old figures": "The figures have not changed for three days, reloading does not help.",
    "Export stops halfway": "The file ends after about a thousand rows, without an error message.",
    "How to change the billing address": "We moved; the next invoice has to go to the new address.",
    "Import rejects our file": "The same file was accepted last month; the error names no row.",
    "Invoice without purchase order number": "Our accounting needs the number on it, please send it again.",
    "Mobile app closes at start": "Since the last update it shows the first page and then disappears.",
    "Notifications arrive late": "Mails about changes come several hours after the change.",
    "Order arrived incomplete": "One of the parcels is missing; the delivery note lists it.",
    "Question about data retention": "How long are deleted records kept, and where is that written down?",
    "Reports are slow": "The monthly report takes more than five minutes since the beginning of the week.",
    "Request for a demo of new features": "We would like to see them with the team; half an hour will do.",
    "Search finds nothing": "Names that are surely there are not found, neither in full nor in part.",
    "Two records for one customer": "Both are in use; please merge them and keep the history.",
}

# -- products: what it is → what it costs per unit, from and to, and a sentence ------------------------
PRODUCTS = {
    "Analytics Add-on": (20, 90, "Dashboards and reports on top of the base product, per seat and month."),
    "Backup Storage": (5, 40, "Encrypted storage in two locations, per terabyte and month."),
    "Barcode Scanner": (120, 480, "Reads codes at up to half a metre, with charging station."),
    "Conference Camera": (240, 900, "Wide angle, with microphones for rooms of up to ten people."),
    "Consulting Day": (900, 1600, "One day of work on site or remote, travel not included."),
    "Docking Station": (90, 260, "Two screens, network and power through one cable."),
    "Label Printer": (150, 620, "Thermal printer for labels of up to ten centimetres."),
    "License": (15, 120, "The right of use for one person, per month."),
    "Network Switch": (180, 1400, "Managed switch with redundant power supply."),
    "Office Chair": (190, 780, "Adjustable in height, depth and tilt, with five years of warranty."),
    "Onboarding": (400, 1900, "Set-up and a first training, held remotely."),
    "Standing Desk": (350, 1100, "Electrically adjustable, with cable tray."),
    "Support Plan": (60, 490, "Answers within one working day, per month."),
    "Training Seat": (150, 690, "One seat in a public course of one day, with course material."),
}
PRODUCT_EDITIONS = ("Basic", "Compact", "Essential", "Plus", "Premium", "Professional", "Standard", "Team")

# -- activities ------------------------------------------------------------------------------------------
# What was noted in brief → the note.
NOTES = {
    "Budget approved": "Budget is approved for this year; the order needs a second signature.",
    "Changed contact person": "A new person is in charge from next month; introductions follow by mail.",
    "Comparing with a competitor": "They compare us with one other vendor; price is not the main point.",
    "Happy with the delivery": "Delivery was in time and complete; they would recommend us.",
    "Interested in training": "Asked for training dates, for about six people, preferably on site.",
    "Legal review under way": "Their lawyers read the contract; comments are expected within two weeks.",
    "Renewal coming up": "The contract ends in spring; wants an offer for three years as well.",
    "Technical questions": "Asked about single sign-on and about where the data is stored.",
}

# What is to be done → how.
TASKS = {
    "Call back about the offer": "Ask whether the offer is complete, and when they decide.",
    "Check open invoices": "Two invoices are past due; find out whether something is wrong with them.",
    "Plan the kick-off": "Agree on a date and send the agenda a week before.",
    "Prepare the renewal": "Collect the use of the last year and suggest a term.",
    "Send the contract": "Latest version with the changes that were agreed on the phone.",
    "Send the meeting notes": "With the decisions, and who does what until when.",
    "Update the contact data": "Phone numbers changed with the move; check them with the assistant.",
    "Write a proposal": "Two variants, with and without the training.",
}

# What the call was about → what was said.
CALLS = {
    "Check-in": "All is running; asked for a list of the planned features.",
    "Discovery call": "Went through the present process and the number of users.",
    "Follow-up on the demo": "Demo was well received; they want a trial for the team.",
    "Price negotiation": "Asked for a discount on a longer term; a new offer was promised.",
    "Questions on the contract": "Clarified notice period and liability; the rest goes to legal.",
    "Scheduling": "Agreed on a date for the workshop.",
    "Support question": "Problem was solved during the call.",
}
# What is noted of a call nobody took.
MISSED_CALL = "Nobody answered; try again."

# What the meeting is for → what it is about.
MEETINGS = {
    "Contract review": "Open points of the contract, with both legal departments.",
    "Kick-off": "Goals, roles and the plan of the first weeks.",
    "Product demo": "The parts that matter to the team, with their own data.",
    "Project status": "Progress, risks and the next steps.",
    "Quarterly review": "Figures of the quarter and the plan for the next one.",
    "Requirements workshop": "Which processes are to be supported, and in which order.",
    "Training": "Introduction for the users, with exercises.",
}
