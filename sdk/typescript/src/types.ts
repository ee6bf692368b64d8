// Generated from sdk/openapi.json by `npm run generate`; not to be edited.

export interface paths {
    "/api/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List keys, revoked ones too; secrets are never shown again. */
        get: operations["api_keys_list"];
        put?: never;
        /** @description Create a key; ``key`` holds its secret, this once. No stronger than the key that asks. */
        post: operations["api_keys_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one key. */
        get: operations["api_keys_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Revoke a key, at once and for ever. */
        delete: operations["api_keys_id_destroy"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api-keys/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Give a key a new secret, told this once; the old one stays valid for the overlap. */
        post: operations["api_keys_id_rotate_rotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/attachments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return an attachment with a short-lived ``download_url``, which needs no key. */
        get: operations["attachments_id_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/attachments/{id}/download": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return the bytes of an attachment, to whoever holds a link to it that has not run out. */
        get: operations["attachments_id_download_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/attachments/upload-url": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Return a link to ``PUT`` a file to, which needs no key, and the ``key`` to attach it by for 24 hours. */
        post: operations["attachments_upload_url_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List audit entries, newest first. */
        get: operations["audit_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one audit entry. */
        get: operations["audit_id_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deliverability": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return the deliverability score of the last 30 days, and what it is made of. */
        get: operations["deliverability_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/domains": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the environment's domains, claimed subdomains of the shared one among them. */
        get: operations["domains_list"];
        put?: never;
        /** @description Add a domain and get its DNS records. Until DNS proves it, it can have inboxes and captured mail. */
        post: operations["domains_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/domains/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one domain with its DNS records. */
        get: operations["domains_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Give a domain up; one with inboxes on it stays. */
        delete: operations["domains_id_destroy"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/domains/{id}/rotate-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Make new DKIM keys. Each signs once its record is seen in DNS; leave the old one there for a week after. */
        post: operations["domains_id_rotate_keys_rotate_keys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/domains/{id}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * @description Ask DNS now, and return the domain with what was found of each record; at most every five seconds.
         *
         *     A domain is verified when its ownership record and its RSA key are in DNS. Mail for it arrives with the MX.
         */
        post: operations["domains_id_verify_verify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/domains/{id}/zone-file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return the records as a zone file (RFC 1035), which most DNS providers import. */
        get: operations["domains_id_zone_file_zone_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/drafts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the drafts of the whole environment, for instance those with ``state=pending_approval``. */
        get: operations["drafts_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/drafts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one draft. Its ETag is what ``If-Match`` takes. */
        get: operations["drafts_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Delete a draft with its versions. One that was sent stays: it tells who approved it. */
        delete: operations["drafts_id_destroy"];
        options?: never;
        head?: never;
        /**
         * @description Change a draft. What changes the mail makes a new version, which nobody has approved.
         *
         *     ``If-Match``, or the ``version`` that you have read, keeps you from overwriting somebody else's edit.
         */
        patch: operations["drafts_id_partial_update"];
        trace?: never;
    };
    "/api/v1/drafts/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Approve exactly what the draft holds now. A key that wrote any version of it may not. */
        post: operations["drafts_id_approve_approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/drafts/{id}/reject": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Reject a draft, with a reason for its author; also one that was approved or is scheduled. */
        post: operations["drafts_id_reject_reject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/drafts/{id}/send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * @description Send a draft, or schedule it when ``send_at`` is still to come.
         *
         *     An approved draft is sent by whoever asks. One that never asked for approval needs ``messages:send``; one that
         *     did, and does not have it, is sent by no key.
         */
        post: operations["drafts_id_send_send"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/drafts/{id}/submit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Ask for approval, until ``expires_at``. One that waits for it already is returned as it is. */
        post: operations["drafts_id_submit_submit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/drafts/{id}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the versions of a draft, each with what differs from the one before, or from ``against``. */
        get: operations["drafts_id_versions_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/environments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the environments that the key reaches. */
        get: operations["environments_list"];
        put?: never;
        /** @description Create an environment; it starts in ``capture``. The same ``client_id`` returns the one that is there. */
        post: operations["environments_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/environments/{environment}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the members that were added to the environment. Owners and admins reach it without that. */
        get: operations["environments_environment_members_list"];
        put?: never;
        /** @description Add a member of the organization to the environment. */
        post: operations["environments_environment_members_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/environments/{environment}/members/{member_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** @description Remove a member from the environment. */
        delete: operations["environments_environment_members_member_id_destroy"];
        options?: never;
        head?: never;
        /** @description Change a member's role in the environment. */
        patch: operations["environments_environment_members_member_id_partial_update"];
        trace?: never;
    };
    "/api/v1/environments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one environment, by id or slug. */
        get: operations["environments_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Delete an environment. One that is not empty needs ``force=true``, which erases all that is in it. */
        delete: operations["environments_id_destroy"];
        options?: never;
        head?: never;
        /**
         * @description Change an environment. A key may only tighten.
         *
         *     It may pause, go back to ``capture``, take entries off the allowlist and lower limits; ``pause_reason`` says why
         *     something is paused.
         */
        patch: operations["environments_id_partial_update"];
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Read the log, oldest first, from behind ``after``; ``next_cursor`` is where to go on, now or later. */
        get: operations["events_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one event. */
        get: operations["events_id_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Follow the log as server-sent events, from behind ``after`` or from now on. */
        get: operations["events_stream_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/tickets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Get a ticket: it opens one stream of this environment within a minute, for a browser for instance. */
        post: operations["events_tickets_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/filter-rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the environment's filter rules; with ``inbox_id``, those of this inbox alone. */
        get: operations["filter_rules_list"];
        put?: never;
        /**
         * @description Create a filter rule. The same rule again returns the one that is there, with 200.
         *
         *     The first ``allow`` of a direction blocks everything else in it; a ``receive`` allow counts only for mail whose
         *     DMARC alignment passed. Where people set ``send`` rules, a key may only add blocks.
         */
        post: operations["filter_rules_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/filter-rules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one filter rule. */
        get: operations["filter_rules_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Delete a rule. A key may not delete a ``send`` rule that a person set. */
        delete: operations["filter_rules_id_destroy"];
        options?: never;
        head?: never;
        /** @description Change what a rule does or is about. A key may not change a ``send`` rule that a person set. */
        patch: operations["filter_rules_id_partial_update"];
        trace?: never;
    };
    "/api/v1/inboxes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the environment's inboxes. */
        get: operations["inboxes_list"];
        put?: never;
        /** @description Create an inbox. The same ``client_id`` returns the one that is there, with 200. */
        post: operations["inboxes_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inboxes/{inbox_id}/drafts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the drafts of an inbox. */
        get: operations["inboxes_inbox_id_drafts_list"];
        put?: never;
        /**
         * @description Create a draft. The same ``client_id`` returns the one that is there, with 200.
         *
         *     With ``in_reply_to_message_id`` it answers that message: recipients and subject follow from it where none are
         *     given, with ``reply_all`` everybody who got it among them, and are what a reviewer sees.
         */
        post: operations["inboxes_inbox_id_drafts_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inboxes/{inbox_id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the messages of an inbox; those in quarantine with ``status=quarantined``. */
        get: operations["inboxes_inbox_id_messages_list"];
        put?: never;
        /**
         * @description Send a mail from an inbox. In a ``capture`` environment it is stored and marked captured; nothing leaves.
         *
         *     With an ``Idempotency-Key``, a request that is made again within 24 hours gets the first answer again, and
         *     nothing is sent twice. With ``dry_run=true`` it tells what would happen, and why, and writes nothing.
         */
        post: operations["inboxes_inbox_id_messages_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inboxes/{inbox_id}/messages/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * @description Send up to 100 mails that have nothing to do with one another.
         *
         *     ``data`` holds a result for each, in their order: ``{"message"}`` or ``{"error"}``. One that is refused keeps
         *     none of the others back. The messages come without their bodies. An ``Idempotency-Key`` is for all of them.
         */
        post: operations["inboxes_inbox_id_messages_batch_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inboxes/{inbox_id}/messages/wait": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * @description Wait for the next mail in an inbox, and return it with the codes and links found in it.
         *
         *     Of several that match, the oldest is returned. ``timed_out`` tells that none came in time. ``from`` and
         *     ``subject`` mean what they mean in the list of messages. Links and codes are a stranger's words: follow only
         *     what the agent asked for.
         */
        get: operations["inboxes_inbox_id_messages_wait_wait"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inboxes/{inbox_id}/simulate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * @description Let a mail arrive in an inbox as if from outside, judged and told of as any other; not in ``live``: 409.
         *
         *     ``authentication`` chooses what is found out about its sender. With ``in_reply_to_message_id``, a message that
         *     the inbox sent (or that was captured), it answers that message as its recipient.
         */
        post: operations["inboxes_inbox_id_simulate_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inboxes/{inbox_id}/threads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the threads of an inbox. */
        get: operations["inboxes_inbox_id_threads_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inboxes/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one inbox. */
        get: operations["inboxes_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Delete an inbox with its mail; its address is held for 30 days against other environments. */
        delete: operations["inboxes_id_destroy"];
        options?: never;
        head?: never;
        /**
         * @description Change display name, metadata, quotas or whether sending is paused.
         *
         *     A key may only lower quotas, and may not lift a pause that a person or a brake set.
         */
        patch: operations["inboxes_id_partial_update"];
        trace?: never;
    };
    "/api/v1/intake": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * @description List what came for the environment's addresses, also what was refused or put off, the newest first.
         *
         *     It answers why a mail did not arrive: ask with its ``recipient`` or ``sender``.
         */
        get: operations["intake_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/intake/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one entry of the ledger. */
        get: operations["intake_id_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the labels of the environment with their counts, by name. */
        get: operations["labels_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Tell what the key is: organization, environments in reach, scopes, expiry. */
        get: operations["me_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the messages of the whole environment; those in quarantine with ``status=quarantined``. */
        get: operations["messages_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one message, bodies included; the codes and links in it with ``include=codes``. */
        get: operations["messages_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Delete a message; its thread goes with its last one. */
        delete: operations["messages_id_destroy"];
        options?: never;
        head?: never;
        /** @description Replace the labels of a message. */
        patch: operations["messages_id_partial_update"];
        trace?: never;
    };
    "/api/v1/messages/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Call back a message that is scheduled or queued. What has left already stays sent. */
        post: operations["messages_id_cancel_cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{id}/forward": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Forward a message from the inbox that it is in, below what is written, with its files. */
        post: operations["messages_id_forward_forward"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{id}/labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Add labels to a message. */
        post: operations["messages_id_labels_add_labels"];
        /** @description Remove labels from a message. */
        delete: operations["messages_id_labels_remove_labels"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{id}/raw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return the message byte for byte as it was received, or as it would have been sent. */
        get: operations["messages_id_raw_raw"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Let a message out of quarantine: it joins its thread, and ``message.received`` tells of it. */
        post: operations["messages_id_release_release"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{id}/reply": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * @description Reply to who sent a message, or to the recipients of one's own, from the inbox that it is in.
         *
         *     A message that has an answer is not answered twice: 409 ``already_replied`` names the answer, unless
         *     ``if_not_replied`` is false.
         */
        post: operations["messages_id_reply_reply"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{id}/reply-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Reply to everybody who has a message, except the inbox itself. */
        post: operations["messages_id_reply_all_reply_all"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{id}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return every step of a message, with its reason: how it came in, or how it left. */
        get: operations["messages_id_timeline_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/batch-get": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Return up to 100 messages by id. */
        post: operations["messages_batch_get_batch_get"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/batch-update": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Add and remove labels on up to 100 messages. */
        post: operations["messages_batch_update_batch_update"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/org": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return the organization that the key belongs to. */
        get: operations["org_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** @description Rename the organization. */
        patch: operations["org_partial_update"];
        trace?: never;
    };
    "/api/v1/org/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the invitations of the organization. */
        get: operations["org_invitations_list"];
        put?: never;
        /**
         * @description Invite an address, which gets the link by mail.
         *
         *     No key gets the link, and none goes to an inbox of this server: no key makes itself a person. A person can make
         *     another link in the console.
         */
        post: operations["org_invitations_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/org/invitations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one invitation. */
        get: operations["org_invitations_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Revoke a pending invitation. */
        delete: operations["org_invitations_id_destroy"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/org/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the members of the organization. */
        get: operations["org_members_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/org/members/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one member. */
        get: operations["org_members_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Remove a member from the organization and all its environments. */
        delete: operations["org_members_id_destroy"];
        options?: never;
        head?: never;
        /** @description Change a member's role. Ownership is transferred by the owner, in the console. */
        patch: operations["org_members_id_partial_update"];
        trace?: never;
    };
    "/api/v1/provider-webhooks/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Take in what the environment's provider tells: deliveries, bounces, complaints, and incoming mail. */
        post: operations["provider_webhooks_token_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * @description Find messages by what is in them, the best match first.
         *
         *     Looked through are subject, addresses, names, the newly written text, and names and text of attachments. The
         *     newest 1,000 messages that match are ranked. Quarantined mail is left out, unless the query says ``in:spam`` or
         *     ``in:anywhere``.
         */
        post: operations["search_search"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/suppressions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the suppressed addresses of the environment. */
        get: operations["suppressions_list"];
        put?: never;
        /** @description Suppress an address. One that is suppressed already is returned, with 200. */
        post: operations["suppressions_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/suppressions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one suppression. */
        get: operations["suppressions_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Write to the address again. What a complaint or a person set, a key may not lift: 403 ``person_required``. */
        delete: operations["suppressions_id_destroy"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/threads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the threads of the whole environment. */
        get: operations["threads_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/threads/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return a thread with a page of its messages, bodies included, the newest first. */
        get: operations["threads_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Delete a thread with its messages. */
        delete: operations["threads_id_destroy"];
        options?: never;
        head?: never;
        /** @description Replace the labels of a thread. */
        patch: operations["threads_id_partial_update"];
        trace?: never;
    };
    "/api/v1/threads/{id}/labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Add labels to a thread; those of its messages stay as they are. */
        post: operations["threads_id_labels_add_labels"];
        /** @description Remove labels from a thread. */
        delete: operations["threads_id_labels_remove_labels"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/transport": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return how the environment's mail leaves, without any secret. */
        get: operations["transport_retrieve"];
        /** @description Refuse: a transport is set by a person, in the console or with ``manage.py set_transport``. */
        put: operations["transport_update"];
        post?: never;
        /** @description Refuse: a transport is removed by a person, in the console or with ``manage.py set_transport``. */
        delete: operations["transport_destroy"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unsubscribe/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return a page with a button; programs that look at links in mail unsubscribe nobody. */
        get: operations["unsubscribe_token_retrieve"];
        put?: never;
        /** @description Send the recipient no more mail from this environment; what the body holds makes no difference. */
        post: operations["unsubscribe_token_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/uploads/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** @description Take the bytes of an announced file, whatever Content-Type they come with. */
        put: operations["uploads_id_update"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return the environment's counters, one row for each interval in which something happened. */
        get: operations["usage_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the environment's webhook deliveries, each with its attempts. */
        get: operations["webhook_deliveries_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-deliveries/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one delivery with its attempts and, to a key that may read events, the body that is posted. */
        get: operations["webhook_deliveries_id_retrieve"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-deliveries/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Send a delivery again now, with all retries anew if it had ended; one that is due or under way stays so. */
        post: operations["webhook_deliveries_id_retry_retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List webhook endpoints. */
        get: operations["webhook_endpoints_list"];
        put?: never;
        /** @description Create an endpoint; ``secret`` verifies what is posted to it, and is told this once. */
        post: operations["webhook_endpoints_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Return one endpoint. */
        get: operations["webhook_endpoints_id_retrieve"];
        put?: never;
        post?: never;
        /** @description Delete an endpoint with its deliveries; the events stay in the log. */
        delete: operations["webhook_endpoints_id_destroy"];
        options?: never;
        head?: never;
        /** @description Change an endpoint. */
        patch: operations["webhook_endpoints_id_partial_update"];
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description List the deliveries to an endpoint, each with its attempts. */
        get: operations["webhook_endpoints_id_deliveries_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Deliver to a disabled endpoint again. */
        post: operations["webhook_endpoints_id_enable_enable"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * @description Send the events of [since, until) again, or for the first time; what is on its way already is left alone.
         *
         *     ``events`` names types, families or ``*``, instead of those that the endpoint asks for; with ``only`` set to
         *     ``missed``, what was delivered is left alone. A call looks at 1,000 events at the most; with ``has_more``, call
         *     again with ``since`` set to ``next_since``. Needs the scope ``events:read`` too.
         */
        post: operations["webhook_endpoints_id_replay_replay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}/rotate-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Give the endpoint a new secret, told this once; for 24 hours deliveries are signed with both. */
        post: operations["webhook_endpoints_id_rotate_secret_rotate_secret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhook-endpoints/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Have a sample event posted to the endpoint once, enabled or not; it is not in the log. */
        post: operations["webhook_endpoints_id_test_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A mailbox. */
        AddressOutput: {
            email: string;
            name: string;
        };
        /** @description The mail that was waited for, with what it asks to type in or to follow; or that none came. */
        ArrivalOutput: {
            one_time_codes: string[];
            links: components["schemas"]["LinkOutput"][];
            message: components["schemas"]["MessageOutput"] | null;
            timed_out: boolean;
            /**
             * Format: date-time
             * @description The server's moment, of before it looked: what to give as `since` to wait for what comes later.
             */
            now: string;
        };
        /** @description An attachment in which something was found: in its name, in its text, or in both. */
        AttachmentHighlight: {
            id: string;
            filename: string;
            text: string | null;
        };
        /** @description A file; ``download_url`` is there when one attachment is asked for. */
        AttachmentOutput: {
            id: string;
            environment_id: string;
            message_id: string;
            filename: string;
            content_type: string;
            size: number;
            content_id: string | null;
            is_inline: boolean;
            /** Format: date-time */
            created_at: string;
            download_url?: string;
            /** Format: date-time */
            download_url_expires_at?: string;
        };
        /** @description One POST of a delivery, and the first 4 KB of what came back. */
        AttemptOutput: {
            /** Format: date-time */
            attempted_at: string;
            request: components["schemas"]["RequestOutput"] | null;
            status: number | null;
            error: string | null;
            duration_ms: number;
            response_body: string;
        };
        /** @description What was done, by whom, on what. */
        AuditOutput: {
            id: string;
            organization_id: string;
            environment_id: string | null;
            /** Format: date-time */
            at: string;
            actor: {
                [key: string]: unknown;
            };
            action: string;
            target_id: string;
            reason: string;
            before: unknown;
            after: unknown;
            hash: string;
        };
        /** @description What the sender's authentication came to; null for what was not checked. */
        AuthenticationOutput: {
            spf: string | null;
            dkim: string | null;
            dmarc: string | null;
            arc: string | null;
            aligned: boolean | null;
            /** @description Why, for each mechanism: domains, selectors, policies and reasons. */
            details: {
                [key: string]: unknown;
            };
        };
        /** @description Up to 100 ids. */
        BatchGetBodyRequest: {
            ids: string[];
        };
        /** @description The messages found, in the order asked for, and the ids that are not there. */
        BatchOutput: {
            data: components["schemas"]["MessageOutput"][];
            not_found: string[];
        };
        /** @description What became of one mail of a batch: one of these is there. */
        BatchResultOutput: {
            message?: components["schemas"]["MessageOutput"];
            error?: {
                [key: string]: unknown;
            };
            plan?: components["schemas"]["PlanOutput"];
        };
        /** @description Up to 100 mails, each as in ``POST /inboxes/{id}/messages``. */
        BatchSendBodyRequest: {
            messages: {
                [key: string]: unknown;
            }[];
        };
        /** @description A result for each mail, in their order. */
        BatchSendOutput: {
            data: components["schemas"]["BatchResultOutput"][];
        };
        /** @description Labels to add to, and to remove from, up to 100 messages. */
        BatchUpdateBodyRequest: {
            ids: string[];
            add_labels?: string[];
            remove_labels?: string[];
        };
        /** @description A field that differs, with a unified diff; null where comparing would take too long. */
        ChangeOutput: {
            field: string;
            diff: string | null;
        };
        /** @description What would become of the mail at one recipient, and why. */
        DecisionOutput: {
            /**
             * @description * `to` - to
             *     * `cc` - cc
             *     * `bcc` - bcc
             * @enum {string}
             */
            kind: "to" | "cc" | "bcc";
            email: string;
            /**
             * @description * `received` - received
             *     * `quarantined` - quarantined
             *     * `queued` - queued
             *     * `scheduled` - scheduled
             *     * `sending` - sending
             *     * `sent` - sent
             *     * `delivered` - delivered
             *     * `bounced` - bounced
             *     * `complained` - complained
             *     * `rejected` - rejected
             *     * `failed` - failed
             *     * `captured` - captured
             * @enum {string}
             */
            status: "received" | "quarantined" | "queued" | "scheduled" | "sending" | "sent" | "delivered" | "bounced" | "complained" | "rejected" | "failed" | "captured";
            reason: string;
            explanation: string;
            /** @description The address that the mail would really go to. */
            goes_to: string | null;
        };
        /**
         * @description How well mail of an environment arrives: 100 - bounce % x 5 - complaint % x 20, and not below 0.
         *
         *     ``sent``, ``delivered``, ``bounced`` and ``complained`` count recipients. Below ``floor``, sending is paused once
         *     ``minimum`` were sent, until a person lifts that pause.
         */
        DeliverabilityOutput: {
            environment_id: string;
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /** Format: double */
            score: number;
            sent: number;
            delivered: number;
            bounced: number;
            complained: number;
            /** Format: double */
            bounce_percent: number;
            /** Format: double */
            complaint_percent: number;
            floor: number | null;
            minimum: number;
        };
        /** @description One event on its way to one endpoint. */
        DeliveryOutput: {
            id: string;
            environment_id: string;
            endpoint_id: string;
            event_id: string;
            event_type: string;
            /**
             * @description * `pending` - pending
             *     * `delivered` - delivered
             *     * `failed` - failed
             * @enum {string}
             */
            state: "pending" | "delivered" | "failed";
            /** Format: date-time */
            next_attempt_at: string | null;
            /** Format: date-time */
            delivered_at: string | null;
            /** Format: date-time */
            created_at: string;
            attempts: components["schemas"]["AttemptOutput"][];
        };
        /** @description Which domain. */
        DomainBodyRequest: {
            domain: string;
            client_id?: string;
        };
        /** @description A domain of an environment. */
        DomainOutput: {
            id: string;
            environment_id: string;
            domain: string;
            /**
             * @description * `custom` - custom
             *     * `subdomain` - subdomain
             * @enum {string}
             */
            kind: "custom" | "subdomain";
            /**
             * @description * `pending` - pending
             *     * `verified` - verified
             *     * `suspended` - suspended
             * @enum {string}
             */
            status: "pending" | "verified" | "suspended";
            records: components["schemas"]["RecordOutput"][];
            client_id: string | null;
            /** Format: date-time */
            verified_at: string | null;
            /** Format: date-time */
            checked_at: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description A mail that is not sent yet. Recipients may be missing until it is submitted or sent. */
        DraftBodyRequest: {
            cc?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            bcc?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            reply_to?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            /** @default  */
            subject?: string;
            text_body?: string | null;
            html_body?: string | null;
            headers?: {
                [key: string]: string;
            };
            attachments?: components["schemas"]["FileBodyRequest"][];
            labels?: string[];
            metadata?: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            send_at?: string | null;
            to?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            in_reply_to_message_id?: string | null;
            /** @default false */
            reply_all?: boolean;
            client_id?: string;
        };
        /** @description Why a draft could not be sent, or not yet. */
        DraftErrorOutput: {
            code: string;
            message: string;
        };
        /** @description A file of a draft. */
        DraftFileOutput: {
            id: string;
            filename: string;
            content_type: string;
            size: number;
            content_id: string | null;
            sha256: string;
        };
        /** @description A draft. Lists leave the bodies out unless ``include=body``. */
        DraftOutput: {
            to_addresses: components["schemas"]["AddressOutput"][];
            cc_addresses: components["schemas"]["AddressOutput"][];
            bcc_addresses: components["schemas"]["AddressOutput"][];
            reply_to_addresses: components["schemas"]["AddressOutput"][];
            subject: string;
            text_body?: string | null;
            html_body?: string | null;
            headers: {
                [key: string]: string;
            };
            /** Format: date-time */
            send_at: string | null;
            attachments: components["schemas"]["DraftFileOutput"][];
            /** @description SHA-256 over all that would be sent. */
            content_hash: string;
            id: string;
            environment_id: string;
            inbox_id: string;
            /**
             * @description * `draft` - draft
             *     * `pending_approval` - pending_approval
             *     * `approved` - approved
             *     * `rejected` - rejected
             *     * `scheduled` - scheduled
             *     * `sending` - sending
             *     * `sent` - sent
             *     * `failed` - failed
             * @enum {string}
             */
            state: "draft" | "pending_approval" | "approved" | "rejected" | "scheduled" | "sending" | "sent" | "failed";
            version: number;
            labels: string[];
            metadata: {
                [key: string]: unknown;
            };
            in_reply_to_message_id: string | null;
            client_id: string | null;
            author: components["schemas"]["WhoOutput"];
            submitted_by: components["schemas"]["WhoOutput"] | null;
            /** Format: date-time */
            submitted_at: string | null;
            /** Format: date-time */
            expires_at: string | null;
            approved_by: components["schemas"]["WhoOutput"] | null;
            /** Format: date-time */
            approved_at: string | null;
            approved_hash: string | null;
            rejected_by: components["schemas"]["WhoOutput"] | null;
            /** Format: date-time */
            rejected_at: string | null;
            rejection_reason: string | null;
            sent_by: components["schemas"]["WhoOutput"] | null;
            message_id: string | null;
            error: components["schemas"]["DraftErrorOutput"] | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description Where to post which events. */
        EndpointBodyRequest: {
            url: string;
            events: string[];
            description?: string;
            inbox_ids?: string[];
            headers?: {
                [key: string]: string;
            };
            client_id?: string;
        };
        /** @description A webhook endpoint; ``secret`` is there in the answers to creation and rotation only. */
        EndpointOutput: {
            id: string;
            environment_id: string;
            url: string;
            events: string[];
            description: string;
            inbox_ids: string[];
            header_names: string[];
            client_id: string | null;
            is_enabled: boolean;
            disabled_reason: string | null;
            consecutive_failures: number;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            secret?: string;
        };
        /** @description What an environment is made of. */
        EnvironmentBodyRequest: {
            /**
             * @description * `accept` - accept
             *     * `quarantine` - quarantine
             *     * `reject` - reject
             * @enum {string}
             */
            authentication_policy?: "accept" | "quarantine" | "reject";
            /**
             * @description * `flag` - flag
             *     * `quarantine` - quarantine
             * @enum {string}
             */
            content_policy?: "flag" | "quarantine";
            event_retention_days?: number;
            message_retention_days?: number | null;
            name: string;
            slug?: string;
            description?: string;
            /**
             * @description * `capture` - capture
             *     * `allowlist` - allowlist
             *     * `redirect` - redirect
             *     * `live` - live
             * @enum {string}
             */
            delivery_mode?: "capture" | "allowlist" | "redirect" | "live";
            metadata?: {
                [key: string]: unknown;
            };
            client_id?: string;
        };
        /** @description Which member, as what. */
        EnvironmentMemberBodyRequest: {
            member_id: string;
            /**
             * @description * `admin` - admin
             *     * `member` - member
             * @enum {string}
             */
            role: "admin" | "member";
        };
        /** @description A member's place in one environment. */
        EnvironmentMemberOutput: {
            member_id: string;
            environment_id: string;
            email: string;
            /**
             * @description * `admin` - admin
             *     * `member` - member
             * @enum {string}
             */
            role: "admin" | "member";
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description An environment. */
        EnvironmentOutput: {
            id: string;
            organization_id: string;
            name: string;
            slug: string;
            description: string;
            is_default: boolean;
            /**
             * @description * `capture` - capture
             *     * `allowlist` - allowlist
             *     * `redirect` - redirect
             *     * `live` - live
             * @enum {string}
             */
            delivery_mode: "capture" | "allowlist" | "redirect" | "live";
            is_locked: boolean;
            outbound_paused: boolean;
            inbound_paused: boolean;
            webhooks_paused: boolean;
            pause_reasons: {
                [key: string]: unknown;
            };
            allowlist: string[];
            redirect_address: string;
            hourly_sending_quota: number | null;
            daily_sending_quota: number | null;
            recipient_domain_hourly_limit: number | null;
            repetition_limit: number | null;
            quota_warning_percent: number;
            deliverability_floor: number | null;
            /**
             * @description * `accept` - accept
             *     * `quarantine` - quarantine
             *     * `reject` - reject
             * @enum {string}
             */
            authentication_policy: "accept" | "quarantine" | "reject";
            /**
             * @description * `flag` - flag
             *     * `quarantine` - quarantine
             * @enum {string}
             */
            content_policy: "flag" | "quarantine";
            event_retention_days: number;
            message_retention_days: number | null;
            metadata: {
                [key: string]: unknown;
            };
            client_id: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description An event, in the envelope that webhooks carry too. */
        EventOutput: {
            id: string;
            /**
             * @description * `message.received` - message.received
             *     * `message.quarantined` - message.quarantined
             *     * `message.sent` - message.sent
             *     * `message.delivered` - message.delivered
             *     * `message.bounced` - message.bounced
             *     * `message.complained` - message.complained
             *     * `message.rejected` - message.rejected
             *     * `message.captured` - message.captured
             *     * `draft.submitted` - draft.submitted
             *     * `draft.approved` - draft.approved
             *     * `draft.rejected` - draft.rejected
             *     * `domain.verified` - domain.verified
             *     * `domain.unverified` - domain.unverified
             *     * `inbox.created` - inbox.created
             *     * `inbox.deleted` - inbox.deleted
             *     * `webhook_endpoint.disabled` - webhook_endpoint.disabled
             *     * `api_key.created` - api_key.created
             *     * `api_key.revoked` - api_key.revoked
             *     * `environment.paused` - environment.paused
             *     * `environment.resumed` - environment.resumed
             *     * `quota.reached` - quota.reached
             * @enum {string}
             */
            type: "message.received" | "message.quarantined" | "message.sent" | "message.delivered" | "message.bounced" | "message.complained" | "message.rejected" | "message.captured" | "draft.submitted" | "draft.approved" | "draft.rejected" | "domain.verified" | "domain.unverified" | "inbox.created" | "inbox.deleted" | "webhook_endpoint.disabled" | "api_key.created" | "api_key.revoked" | "environment.paused" | "environment.resumed" | "quota.reached";
            /** Format: date-time */
            timestamp: string;
            org_id: string;
            env_id: string;
            environment: {
                [key: string]: unknown;
            };
            data: {
                [key: string]: unknown;
            };
        };
        /** @description Which version of the draft the caller has read; without it, any. */
        ExpectedVersionRequest: {
            version?: number;
        };
        /**
         * @description A file to attach: base64 ``content`` with a ``filename``; the ``key`` of an upload; or an ``attachment_id``.
         *
         *     What is said of a file that is there already, name, type or Content-ID, takes the place of its own.
         */
        FileBodyRequest: {
            filename?: string;
            content?: string;
            key?: string;
            attachment_id?: string;
            content_type?: string;
            /** @description Another name for content_type. */
            mime_type?: string;
            content_id?: string;
        };
        /** @description Whom to take mail from, or to send mail to: in one inbox, or in the whole environment. */
        FilterRuleBodyRequest: {
            /**
             * @description * `send` - send
             *     * `receive` - receive
             * @enum {string}
             */
            direction: "send" | "receive";
            /**
             * @description * `allow` - allow
             *     * `block` - block
             * @enum {string}
             */
            action: "allow" | "block";
            /**
             * @description * `address` - address
             *     * `domain` - domain
             *     * `subdomain_wildcard` - subdomain_wildcard
             * @enum {string}
             */
            match_type: "address" | "domain" | "subdomain_wildcard";
            value: string;
            inbox_id?: string | null;
        };
        /** @description A filter rule. Without ``inbox_id`` it holds for the whole environment. */
        FilterRuleOutput: {
            id: string;
            environment_id: string;
            inbox_id: string | null;
            /**
             * @description * `send` - send
             *     * `receive` - receive
             * @enum {string}
             */
            direction: "send" | "receive";
            /**
             * @description * `allow` - allow
             *     * `block` - block
             * @enum {string}
             */
            action: "allow" | "block";
            /**
             * @description * `address` - address
             *     * `domain` - domain
             *     * `subdomain_wildcard` - subdomain_wildcard
             * @enum {string}
             */
            match_type: "address" | "domain" | "subdomain_wildcard";
            value: string;
            set_by_person: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description What narrows a search beside its query. */
        FiltersBodyRequest: {
            from?: string;
            /** Format: date-time */
            date_from?: string;
            /** Format: date-time */
            date_to?: string;
            labels?: string[];
            /**
             * @description * `inbound` - inbound
             *     * `outbound` - outbound
             * @enum {string}
             */
            direction?: "inbound" | "outbound";
            to?: string;
            has_attachments?: boolean | null;
        };
        /** @description A forward. ``attachments`` are more files; what the message had goes along as ``original_attachments`` says. */
        ForwardBodyRequest: {
            cc?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            bcc?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            reply_to?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            /** @default  */
            subject?: string;
            text_body?: string | null;
            html_body?: string | null;
            headers?: {
                [key: string]: string;
            };
            attachments?: components["schemas"]["FileBodyRequest"][];
            labels?: string[];
            metadata?: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            send_at?: string | null;
            to?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            /**
             * @description inline: each file as it was; eml: the whole message as one file, byte for byte; none: text only.
             *
             *     * `inline` - inline
             *     * `eml` - eml
             *     * `none` - none
             * @default inline
             * @enum {string}
             */
            original_attachments?: "inline" | "eml" | "none";
        };
        /** @description HTML: what was found is in ``<mark>``, everything else is escaped. Null where nothing was found. */
        HighlightsOutput: {
            subject: string | null;
            text: string | null;
            attachments: components["schemas"]["AttachmentHighlight"][];
        };
        /** @description Which address: ``email`` and ``name``, or ``username``, ``domain`` and ``display_name``, or nothing. */
        InboxBodyRequest: {
            /** Format: int64 */
            hourly_sending_quota?: number | null;
            /** Format: int64 */
            daily_sending_quota?: number | null;
            email?: string;
            username?: string;
            domain?: string;
            name?: string;
            display_name?: string;
            client_id?: string;
            metadata?: {
                [key: string]: unknown;
            };
        };
        /** @description An inbox. */
        InboxOutput: {
            id: string;
            environment_id: string;
            email: string;
            username: string;
            domain: string;
            display_name: string;
            name: string;
            client_id: string | null;
            send_paused: boolean;
            pause_reason: {
                [key: string]: unknown;
            } | null;
            hourly_sending_quota: number | null;
            daily_sending_quota: number | null;
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description One recipient of one SMTP transaction, and what became of the mail there. */
        IntakeOutput: {
            id: string;
            environment_id: string;
            /**
             * Format: uuid
             * @description Shared by the entries of one mail in this environment.
             */
            transaction_id: string;
            /**
             * @description * `accepted` - accepted
             *     * `quarantined` - quarantined
             *     * `refused` - refused
             *     * `deferred` - deferred
             * @enum {string}
             */
            outcome: "accepted" | "quarantined" | "refused" | "deferred";
            /**
             * @description * `stored` - stored
             *     * `repeated` - repeated
             *     * `unknown_recipient` - unknown_recipient
             *     * `malformed_recipient` - malformed_recipient
             *     * `too_many_recipients` - too_many_recipients
             *     * `inbound_paused` - inbound_paused
             *     * `storage_full` - storage_full
             *     * `too_large` - too_large
             *     * `too_busy` - too_busy
             *     * `bare_line_end` - bare_line_end
             *     * `blocked_by_rule` - blocked_by_rule
             *     * `authentication_failed` - authentication_failed
             *     * `hostile_content` - hostile_content
             *     * `routing_loop` - routing_loop
             *     * `our_trouble` - our_trouble
             *     * `not_sent` - not_sent
             *     * `connection_lost` - connection_lost
             *     * `timed_out` - timed_out
             *     * `server_closing` - server_closing
             *     * `more_of_these` - more_of_these
             * @enum {string}
             */
            reason: "stored" | "repeated" | "unknown_recipient" | "malformed_recipient" | "too_many_recipients" | "inbound_paused" | "storage_full" | "too_large" | "too_busy" | "bare_line_end" | "blocked_by_rule" | "authentication_failed" | "hostile_content" | "routing_loop" | "our_trouble" | "not_sent" | "connection_lost" | "timed_out" | "server_closing" | "more_of_these";
            /** @description The reason as a sentence. */
            explanation: string;
            /**
             * @description How far the transaction came.
             *
             *     * `mail` - mail
             *     * `rcpt` - rcpt
             *     * `data` - data
             *     * `policy` - policy
             *     * `store` - store
             * @enum {string}
             */
            stage: "mail" | "rcpt" | "data" | "policy" | "store";
            /** @description What the sending server was answered; null if the connection ended before. */
            reply: string | null;
            /** @description How often the same was refused within about a minute. */
            count: number;
            /** @description As given in RCPT, in lower case. */
            recipient: string;
            /** @description Empty for the null sender, as bounces have it. */
            envelope_sender: string;
            from_email: string | null;
            message_id_header: string | null;
            inbox_id: string | null;
            /** @description The message, while it is there. */
            message_id: string | null;
            /** @description The filter rule that decided. */
            rule_id: string | null;
            /** @description What the decision rests on: authentication, flags. */
            verdicts: {
                [key: string]: unknown;
            };
            size: number | null;
            peer: string | null;
            helo: string;
            tls: boolean;
            /** Format: date-time */
            created_at: string;
        };
        /** @description Whom to invite, as what. */
        InvitationBodyRequest: {
            /**
             * @description * `admin` - admin
             *     * `member` - member
             * @default member
             * @enum {string}
             */
            role?: "admin" | "member";
            /** Format: email */
            email: string;
        };
        /** @description A place offered to an address. The link that accepts it is made in the console, by a person. */
        InvitationOutput: {
            id: string;
            organization_id: string;
            email: string;
            /**
             * @description * `owner` - owner
             *     * `admin` - admin
             *     * `member` - member
             * @enum {string}
             */
            role: "owner" | "admin" | "member";
            /**
             * @description * `pending` - pending
             *     * `accepted` - accepted
             *     * `revoked` - revoked
             *     * `expired` - expired
             * @enum {string}
             */
            status: "pending" | "accepted" | "revoked" | "expired";
            /** Format: date-time */
            expires_at: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description What a key is made of. No scopes means no rights; no environments means the whole organization. */
        KeyBodyRequest: {
            /** Format: int64 */
            hourly_sending_quota?: number | null;
            /** Format: int64 */
            daily_sending_quota?: number | null;
            name: string;
            scopes?: string[];
            environment_ids?: string[];
            /** Format: date-time */
            expires_at?: string | null;
        };
        /** @description A key; ``key``, the secret, is there in the answers to creation and rotation only. */
        KeyOutput: {
            id: string;
            organization_id: string;
            name: string;
            /**
             * @description * `live` - live
             *     * `dev` - dev
             * @enum {string}
             */
            kind: "live" | "dev";
            hint: string;
            scopes: string[];
            environment_ids: string[] | null;
            hourly_sending_quota: number | null;
            daily_sending_quota: number | null;
            /** Format: date-time */
            expires_at: string | null;
            /** Format: date-time */
            revoked_at: string | null;
            /** Format: date-time */
            last_used_at: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            key?: string;
            /** Format: date-time */
            previous_key_expires_at?: string;
        };
        /** @description A label and how many messages and threads carry it. */
        LabelCount: {
            name: string;
            message_count: number;
            thread_count: number;
        };
        /** @description Labels to add or remove. */
        LabelsBodyRequest: {
            labels: string[];
        };
        /** @description A link in a mail; ``text`` is what it shows. */
        LinkOutput: {
            url: string;
            text: string;
            /**
             * @description * `verification` - verification
             *     * `other` - other
             *     * `footer` - footer
             * @enum {string}
             */
            kind: "verification" | "other" | "footer";
        };
        /** @description A message that was found. */
        MatchOutput: {
            message: components["schemas"]["MessageOutput"];
            /** Format: double */
            rank: number;
            highlights: components["schemas"]["HighlightsOutput"];
        };
        /** @description An environment that the key reaches. */
        MeEnvironment: {
            id: string;
            slug: string;
            is_default: boolean;
            delivery_mode: string;
        };
        /** @description What the key is. */
        MeOutput: {
            api_key_id: string;
            name: string;
            /**
             * @description * `live` - live
             *     * `dev` - dev
             * @enum {string}
             */
            kind: "live" | "dev";
            organization: components["schemas"]["OrganizationOutput"];
            environments: components["schemas"]["MeEnvironment"][];
            has_more_environments: boolean;
            reaches_organization: boolean;
            scopes: string[];
            /** Format: date-time */
            expires_at: string | null;
        };
        /** @description A person's place in an organization. */
        MemberOutput: {
            id: string;
            organization_id: string;
            email: string;
            name: string;
            /**
             * @description * `owner` - owner
             *     * `admin` - admin
             *     * `member` - member
             * @enum {string}
             */
            role: "owner" | "admin" | "member";
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description A message. Lists leave the bodies and ``text_for_model`` out unless ``include=body``. */
        MessageOutput: {
            id: string;
            environment_id: string;
            inbox_id: string;
            thread_id: string;
            /**
             * @description * `inbound` - inbound
             *     * `outbound` - outbound
             * @enum {string}
             */
            direction: "inbound" | "outbound";
            /**
             * @description * `received` - received
             *     * `quarantined` - quarantined
             *     * `queued` - queued
             *     * `scheduled` - scheduled
             *     * `sending` - sending
             *     * `sent` - sent
             *     * `delivered` - delivered
             *     * `bounced` - bounced
             *     * `complained` - complained
             *     * `rejected` - rejected
             *     * `failed` - failed
             *     * `captured` - captured
             * @enum {string}
             */
            status: "received" | "quarantined" | "queued" | "scheduled" | "sending" | "sent" | "delivered" | "bounced" | "complained" | "rejected" | "failed" | "captured";
            subject: string;
            from_address: components["schemas"]["AddressOutput"];
            to_addresses: components["schemas"]["AddressOutput"][];
            cc_addresses: components["schemas"]["AddressOutput"][];
            bcc_addresses: components["schemas"]["AddressOutput"][];
            reply_to_addresses: components["schemas"]["AddressOutput"][];
            message_id_header: string | null;
            in_reply_to: string | null;
            references: string[];
            /** Format: date-time */
            date: string | null;
            text_body?: string | null;
            html_body?: string | null;
            extracted_text?: string;
            extracted_html?: string | null;
            /** @description The extracted text between markers that hold a fresh random nonce, with flags and authentication in front: what to show a language model, so that it can tell what others wrote from what it was told. */
            text_for_model?: string;
            snippet: string;
            labels: string[];
            has_attachments: boolean;
            attachments: components["schemas"]["AttachmentOutput"][];
            headers: {
                [key: string]: string[];
            };
            size: number;
            authentication: components["schemas"]["AuthenticationOutput"];
            flags: string[];
            flag_evidence: {
                [key: string]: string[];
            };
            /**
             * @description * `delivery_report` - delivery_report
             *     * `feedback_report` - feedback_report
             *     * `read_receipt` - read_receipt
             *     * `auto_reply` - auto_reply
             *     * `mailing_list` - mailing_list
             *     * `bulk` - bulk
             *     * `notification` - notification
             * @enum {string|null}
             */
            automatic: "delivery_report" | "feedback_report" | "read_receipt" | "auto_reply" | "mailing_list" | "bulk" | "notification" | null;
            report: {
                [key: string]: unknown;
            } | null;
            quarantine_reasons: components["schemas"]["ReasonOutput"][];
            metadata: {
                [key: string]: unknown;
            };
            /** @description Of an outgoing message; empty for one that came in. */
            recipients: components["schemas"]["RecipientOutput"][];
            /** Format: date-time */
            send_at: string | null;
            replies_to_message_id: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            /** @description With include=codes, of one message. */
            one_time_codes?: string[];
            links?: components["schemas"]["LinkOutput"][];
        };
        /** @description A page of messages. */
        MessagePage: {
            data: components["schemas"]["MessageOutput"][];
            has_more: boolean;
            next_cursor: string | null;
        };
        /** @description An organization. */
        OrganizationOutput: {
            id: string;
            name: string;
            slug: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description What to change; ``attachments`` replace those that it has. */
        PatchedDraftChangesRequest: {
            cc?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            bcc?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            reply_to?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            /** @default  */
            subject?: string;
            text_body?: string | null;
            html_body?: string | null;
            headers?: {
                [key: string]: string;
            };
            attachments?: components["schemas"]["FileBodyRequest"][];
            labels?: string[];
            metadata?: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            send_at?: string | null;
            version?: number;
            to?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
        };
        /** @description What may change in an endpoint. */
        PatchedEndpointChangesRequest: {
            url?: string;
            events?: string[];
            description?: string;
            inbox_ids?: string[];
            headers?: {
                [key: string]: string;
            };
        };
        /** @description What may change in an environment. */
        PatchedEnvironmentChangesRequest: {
            /**
             * @description * `accept` - accept
             *     * `quarantine` - quarantine
             *     * `reject` - reject
             * @enum {string}
             */
            authentication_policy?: "accept" | "quarantine" | "reject";
            /**
             * @description * `flag` - flag
             *     * `quarantine` - quarantine
             * @enum {string}
             */
            content_policy?: "flag" | "quarantine";
            event_retention_days?: number;
            message_retention_days?: number | null;
            /** Format: int64 */
            hourly_sending_quota?: number | null;
            /** Format: int64 */
            daily_sending_quota?: number | null;
            /** Format: int64 */
            recipient_domain_hourly_limit?: number | null;
            repetition_limit?: number | null;
            quota_warning_percent?: number;
            deliverability_floor?: number | null;
            name?: string;
            slug?: string;
            description?: string;
            /**
             * @description * `capture` - capture
             *     * `allowlist` - allowlist
             *     * `redirect` - redirect
             *     * `live` - live
             * @enum {string}
             */
            delivery_mode?: "capture" | "allowlist" | "redirect" | "live";
            outbound_paused?: boolean;
            inbound_paused?: boolean;
            webhooks_paused?: boolean;
            pause_reason?: string;
            allowlist?: string[];
            redirect_address?: string;
            metadata?: {
                [key: string]: unknown;
            };
        };
        /** @description A role in an environment. */
        PatchedEnvironmentRoleBodyRequest: {
            /**
             * @description * `admin` - admin
             *     * `member` - member
             * @enum {string}
             */
            role?: "admin" | "member";
        };
        /** @description What may change in a rule. */
        PatchedFilterRuleChangesRequest: {
            /**
             * @description * `allow` - allow
             *     * `block` - block
             * @enum {string}
             */
            action?: "allow" | "block";
            /**
             * @description * `address` - address
             *     * `domain` - domain
             *     * `subdomain_wildcard` - subdomain_wildcard
             * @enum {string}
             */
            match_type?: "address" | "domain" | "subdomain_wildcard";
            value?: string;
        };
        /** @description What may change in an inbox. */
        PatchedInboxChangesRequest: {
            /** Format: int64 */
            hourly_sending_quota?: number | null;
            /** Format: int64 */
            daily_sending_quota?: number | null;
            name?: string;
            display_name?: string;
            send_paused?: boolean;
            pause_reason?: string;
            metadata?: {
                [key: string]: unknown;
            };
        };
        /** @description What may change in a message: its labels. */
        PatchedMessageChangesRequest: {
            labels?: string[];
        };
        /** @description A name. */
        PatchedNameBodyRequest: {
            name?: string;
        };
        /** @description A role in the organization. */
        PatchedRoleBodyRequest: {
            /**
             * @description * `admin` - admin
             *     * `member` - member
             * @enum {string}
             */
            role?: "admin" | "member";
        };
        /** @description What would happen to a mail. */
        PlanOutput: {
            dry_run: boolean;
            /**
             * @description * `capture` - capture
             *     * `allowlist` - allowlist
             *     * `redirect` - redirect
             *     * `live` - live
             * @enum {string}
             */
            delivery_mode: "capture" | "allowlist" | "redirect" | "live";
            size: number;
            /** @description Why it would wait: scheduled, or a pause. */
            waits: string | null;
            recipients: components["schemas"]["DecisionOutput"][];
        };
        /** @description Why a message is, or was, in quarantine. */
        ReasonOutput: {
            code: string;
            explanation: string;
            rule_id: string | null;
        };
        /** @description One recipient of an outgoing message, and what became of it there. */
        RecipientOutput: {
            /**
             * @description * `to` - to
             *     * `cc` - cc
             *     * `bcc` - bcc
             * @enum {string}
             */
            kind: "to" | "cc" | "bcc";
            email: string;
            /**
             * @description * `received` - received
             *     * `quarantined` - quarantined
             *     * `queued` - queued
             *     * `scheduled` - scheduled
             *     * `sending` - sending
             *     * `sent` - sent
             *     * `delivered` - delivered
             *     * `bounced` - bounced
             *     * `complained` - complained
             *     * `rejected` - rejected
             *     * `failed` - failed
             *     * `captured` - captured
             * @enum {string}
             */
            status: "received" | "quarantined" | "queued" | "scheduled" | "sending" | "sent" | "delivered" | "bounced" | "complained" | "rejected" | "failed" | "captured";
            reason: string;
            explanation: string;
        };
        /** @description A DNS record that the domain needs. */
        RecordOutput: {
            type: string;
            name: string;
            value: string;
            purpose: string;
            required: boolean;
            /**
             * @description * `pending` - pending
             *     * `verified` - verified
             *     * `failed` - failed
             * @enum {string}
             */
            status: "pending" | "verified" | "failed";
            reason: string | null;
            found: string[];
            selector: string | null;
            /**
             * @description * `pending` - pending
             *     * `active` - active
             *     * `retiring` - retiring
             *     * `retired` - retired
             * @enum {string|null}
             */
            key_state: "pending" | "active" | "retiring" | "retired" | null;
        };
        /** @description Why not. */
        RejectBodyRequest: {
            version?: number;
            reason: string;
        };
        /** @description Which stretch of the log to send again; until now, if nothing else is said. */
        ReplayBodyRequest: {
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            until?: string;
            events?: string[];
            /**
             * @description * `missed` - missed
             * @enum {string}
             */
            only?: "missed";
        };
        /** @description How many events are sent again, and where to go on. */
        ReplayOutput: {
            replayed: number;
            has_more: boolean;
            /** Format: date-time */
            next_since: string | null;
        };
        /** @description A reply. Recipients and subject follow from the message where they are not given. */
        ReplyBodyRequest: {
            cc?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            bcc?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            reply_to?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            /** @default  */
            subject?: string;
            text_body?: string | null;
            html_body?: string | null;
            headers?: {
                [key: string]: string;
            };
            attachments?: components["schemas"]["FileBodyRequest"][];
            labels?: string[];
            metadata?: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            send_at?: string | null;
            to?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            /**
             * @description Whether the message stands below the reply.
             * @default true
             */
            quote?: boolean;
            /**
             * @description Refuse with 409 already_replied when the message has an answer.
             * @default true
             */
            if_not_replied?: boolean;
        };
        /** @description What was sent; of the endpoint's own headers only the names are shown. */
        RequestOutput: {
            method: string;
            url: string;
            headers: {
                [key: string]: string;
            };
        };
        /** @description How long the old secret stays valid, in seconds. */
        RotateBodyRequest: {
            /** @default 86400 */
            overlap_seconds?: number;
        };
        /** @description Which type of event to make up; by default the first that the endpoint asks for. */
        SampleBodyRequest: {
            /**
             * @description * `message.received` - message.received
             *     * `message.quarantined` - message.quarantined
             *     * `message.sent` - message.sent
             *     * `message.delivered` - message.delivered
             *     * `message.bounced` - message.bounced
             *     * `message.complained` - message.complained
             *     * `message.rejected` - message.rejected
             *     * `message.captured` - message.captured
             *     * `draft.submitted` - draft.submitted
             *     * `draft.approved` - draft.approved
             *     * `draft.rejected` - draft.rejected
             *     * `domain.verified` - domain.verified
             *     * `domain.unverified` - domain.unverified
             *     * `inbox.created` - inbox.created
             *     * `inbox.deleted` - inbox.deleted
             *     * `webhook_endpoint.disabled` - webhook_endpoint.disabled
             *     * `api_key.created` - api_key.created
             *     * `api_key.revoked` - api_key.revoked
             *     * `environment.paused` - environment.paused
             *     * `environment.resumed` - environment.resumed
             *     * `quota.reached` - quota.reached
             * @enum {string}
             */
            event_type?: "message.received" | "message.quarantined" | "message.sent" | "message.delivered" | "message.bounced" | "message.complained" | "message.rejected" | "message.captured" | "draft.submitted" | "draft.approved" | "draft.rejected" | "domain.verified" | "domain.unverified" | "inbox.created" | "inbox.deleted" | "webhook_endpoint.disabled" | "api_key.created" | "api_key.revoked" | "environment.paused" | "environment.resumed" | "quota.reached";
        };
        /** @description A search. */
        SearchBodyRequest: {
            /** @description Words, "phrases", -not, OR, begin*, and operators: from: to: subject: label: before: after: has:attachment in:inbox in:sent in:spam in:anywhere. */
            query: string;
            inbox_id?: string;
            filters?: components["schemas"]["FiltersBodyRequest"];
        };
        /** @description A mail to send. With ``list_unsubscribe``, its one recipient can get off with one click (RFC 8058). */
        SendBodyRequest: {
            cc?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            bcc?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            reply_to?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            /** @default  */
            subject?: string;
            text_body?: string | null;
            html_body?: string | null;
            headers?: {
                [key: string]: string;
            };
            attachments?: components["schemas"]["FileBodyRequest"][];
            labels?: string[];
            metadata?: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            send_at?: string | null;
            to?: (string | {
                /** Format: email */
                email: string;
                name?: string;
            })[];
            /** @default false */
            list_unsubscribe?: boolean;
        };
        /** @description A mail that is to arrive. One that answers a message may leave out whom it is from and what it is about. */
        SimulateBodyRequest: {
            from?: string | {
                /** Format: email */
                email: string;
                name?: string;
            };
            subject?: string;
            text_body?: string | null;
            html_body?: string | null;
            headers?: {
                [key: string]: string;
            };
            attachments?: components["schemas"]["FileBodyRequest"][];
            in_reply_to_message_id?: string | null;
            authentication?: components["schemas"]["VerdictsBodyRequest"];
        };
        /** @description Something that was decided about a message, or happened to it; ``email`` is null for all its recipients. */
        StepOutput: {
            /** Format: date-time */
            at: string;
            status: string;
            email: string | null;
            reason: string;
            explanation: string;
            details: {
                [key: string]: unknown;
            };
        };
        /** @description What a stream tells of. No event types means all of them. */
        StreamOutput: {
            environment_id: string;
            event_types: string[];
            inbox_id: string | null;
            after: string | null;
        };
        /** @description How long to wait for a yes or no. */
        SubmitBodyRequest: {
            version?: number;
            /** Format: date-time */
            expires_at?: string;
        };
        /** @description Which address is not to be written to any more, and why. */
        SuppressionBodyRequest: {
            email: string;
            /**
             * @description * `manual` - manual
             *     * `unsubscribed` - unsubscribed
             * @default manual
             * @enum {string}
             */
            reason?: "manual" | "unsubscribed";
            /** @default  */
            explanation?: string;
        };
        /** @description An address that the environment does not write to any more. ``message_id`` is the message that it came of. */
        SuppressionOutput: {
            id: string;
            environment_id: string;
            email: string;
            /**
             * @description * `hard_bounce` - hard_bounce
             *     * `unsubscribed` - unsubscribed
             *     * `manual` - manual
             *     * `complaint` - complaint
             * @enum {string}
             */
            reason: "hard_bounce" | "unsubscribed" | "manual" | "complaint";
            explanation: string;
            message_id: string | null;
            set_by_person: boolean;
            /** Format: date-time */
            created_at: string;
        };
        /** @description A conversation of one inbox. */
        ThreadOutput: {
            id: string;
            inbox_id: string;
            environment_id: string;
            subject: string;
            message_count: number;
            /** Format: date-time */
            last_message_at: string;
            labels: string[];
            participants: components["schemas"]["AddressOutput"][];
            snippet: string;
            /** Format: date-time */
            created_at: string;
        };
        /** @description A conversation with a page of its messages, the newest first. */
        ThreadWithMessagesOutput: {
            id: string;
            inbox_id: string;
            environment_id: string;
            subject: string;
            message_count: number;
            /** Format: date-time */
            last_message_at: string;
            labels: string[];
            participants: components["schemas"]["AddressOutput"][];
            snippet: string;
            /** Format: date-time */
            created_at: string;
            messages: components["schemas"]["MessagePage"];
        };
        /** @description A ticket, told this once. */
        TicketOutput: {
            ticket: string;
            environment_id: string;
            /** Format: date-time */
            expires_at: string;
        };
        /** @description Every step of a message, the oldest first; of more than 2000 the latest. */
        TimelineOutput: {
            message_id: string;
            data: components["schemas"]["StepOutput"][];
            has_earlier: boolean;
        };
        /** @description How mail leaves an environment. ``config`` holds no secrets. */
        TransportOutput: {
            id: string | null;
            environment_id: string;
            /**
             * @description * `environment` - environment
             *     * `server` - server
             *     * `none` - none
             * @enum {string}
             */
            source: "environment" | "server" | "none";
            kind: string | null;
            config: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string | null;
            /** Format: date-time */
            updated_at: string | null;
        };
        /** @description A file that is going to be uploaded. */
        UploadBodyRequest: {
            filename: string;
            /** @default application/octet-stream */
            mime_type?: string;
            /** Format: int64 */
            size: number;
        };
        /** @description A file that has come. */
        UploadOutput: {
            key: string;
            filename: string;
            mime_type: string;
            size: number;
            /** Format: date-time */
            expires_at: string;
        };
        /** @description Where to ``PUT`` the bytes, until when, and the key to name in an attachment afterwards. */
        UploadUrlOutput: {
            upload_url: string;
            key: string;
            /** Format: date-time */
            expires_at: string;
        };
        /** @description What an environment used in a period, and its deliverability score over the last 30 days. */
        UsageOutput: {
            environment_id: string;
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /**
             * @description * `day` - day
             *     * `hour` - hour
             *     * `month` - month
             * @enum {string}
             */
            interval: "day" | "hour" | "month";
            totals: {
                [key: string]: number;
            };
            /** Format: double */
            deliverability_score: number;
            data: components["schemas"]["UsageRow"][];
        };
        /** @description The counters of one interval. */
        UsageRow: {
            /** Format: date-time */
            start: string;
            messages_in: number;
            messages_out: number;
            messages_captured: number;
            messages_sent: number;
            messages_delivered: number;
            messages_bounced: number;
            messages_complained: number;
            bytes_stored: number;
            webhook_deliveries: number;
            api_calls: number;
        };
        /** @description What is taken for found out about the sender; each is ``pass`` unless it is given. */
        VerdictsBodyRequest: {
            /**
             * @description * `pass` - pass
             *     * `fail` - fail
             *     * `softfail` - softfail
             *     * `neutral` - neutral
             *     * `none` - none
             *     * `temperror` - temperror
             *     * `permerror` - permerror
             * @default pass
             * @enum {string}
             */
            spf?: "pass" | "fail" | "softfail" | "neutral" | "none" | "temperror" | "permerror";
            /**
             * @description * `pass` - pass
             *     * `fail` - fail
             *     * `neutral` - neutral
             *     * `none` - none
             *     * `temperror` - temperror
             *     * `permerror` - permerror
             * @default pass
             * @enum {string}
             */
            dkim?: "pass" | "fail" | "neutral" | "none" | "temperror" | "permerror";
            /**
             * @description * `pass` - pass
             *     * `fail` - fail
             *     * `none` - none
             *     * `temperror` - temperror
             *     * `permerror` - permerror
             * @default pass
             * @enum {string}
             */
            dmarc?: "pass" | "fail" | "none" | "temperror" | "permerror";
        };
        /** @description A draft as it was after one of its edits, and what differs from the version compared with. */
        VersionOutput: {
            to_addresses: components["schemas"]["AddressOutput"][];
            cc_addresses: components["schemas"]["AddressOutput"][];
            bcc_addresses: components["schemas"]["AddressOutput"][];
            reply_to_addresses: components["schemas"]["AddressOutput"][];
            subject: string;
            text_body?: string | null;
            html_body?: string | null;
            headers: {
                [key: string]: string;
            };
            /** Format: date-time */
            send_at: string | null;
            attachments: components["schemas"]["DraftFileOutput"][];
            /** @description SHA-256 over all that would be sent. */
            content_hash: string;
            number: number;
            author: components["schemas"]["WhoOutput"];
            compared_with: number | null;
            changes: components["schemas"]["ChangeOutput"][];
            /** Format: date-time */
            created_at: string;
        };
        /** @description A key or a person. */
        WhoOutput: {
            /**
             * @description * `key` - key
             *     * `member` - member
             *     * `operator` - operator
             *     * `system` - system
             * @enum {string}
             */
            kind: "key" | "member" | "operator" | "system";
            id: string;
            name: string;
        };
        /** @description A delivery with what is posted; ``payload`` is null for a key that may not read events. */
        WholeDeliveryOutput: {
            id: string;
            environment_id: string;
            endpoint_id: string;
            event_id: string;
            event_type: string;
            /**
             * @description * `pending` - pending
             *     * `delivered` - delivered
             *     * `failed` - failed
             * @enum {string}
             */
            state: "pending" | "delivered" | "failed";
            /** Format: date-time */
            next_attempt_at: string | null;
            /** Format: date-time */
            delivered_at: string | null;
            /** Format: date-time */
            created_at: string;
            attempts: components["schemas"]["AttemptOutput"][];
            payload: {
                [key: string]: unknown;
            } | null;
        };
        Error: {
            error: {
                code: string;
                message: string;
                fix: string;
                details: {
                    field: string;
                    message: string;
                }[];
                request_id: string | null;
            };
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    api_keys_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["KeyOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    api_keys_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeyBodyRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyOutput"];
                };
            };
        };
    };
    api_keys_id_retrieve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyOutput"];
                };
            };
        };
    };
    api_keys_id_destroy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    api_keys_id_rotate_rotate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RotateBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyOutput"];
                };
            };
        };
    };
    attachments_id_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AttachmentOutput"];
                };
            };
        };
    };
    attachments_id_download_retrieve: {
        parameters: {
            query: {
                token: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
        };
    };
    attachments_upload_url_create: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UploadBodyRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadUrlOutput"];
                };
            };
        };
    };
    audit_list: {
        parameters: {
            query?: {
                action?: string;
                /** @description next_cursor of the page before. */
                cursor?: string;
                environment_id?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["AuditOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    audit_id_retrieve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditOutput"];
                };
            };
        };
    };
    deliverability_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliverabilityOutput"];
                };
            };
        };
    };
    domains_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                limit?: number;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["DomainOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    domains_create: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DomainBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DomainOutput"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DomainOutput"];
                };
            };
        };
    };
    domains_id_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DomainOutput"];
                };
            };
        };
    };
    domains_id_destroy: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    domains_id_rotate_keys_rotate_keys: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DomainOutput"];
                };
            };
        };
    };
    domains_id_verify_verify: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DomainOutput"];
                };
            };
        };
    };
    domains_id_zone_file_zone_file: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/dns": string;
                };
            };
        };
    };
    drafts_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                inbox_id?: string;
                /** @description * `body` - body */
                include?: "body";
                limit?: number;
                /**
                 * @description * `draft` - draft
                 *     * `pending_approval` - pending_approval
                 *     * `approved` - approved
                 *     * `rejected` - rejected
                 *     * `scheduled` - scheduled
                 *     * `sending` - sending
                 *     * `sent` - sent
                 *     * `failed` - failed
                 */
                state?: "draft" | "pending_approval" | "approved" | "rejected" | "scheduled" | "sending" | "sent" | "failed";
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["DraftOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    drafts_id_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DraftOutput"];
                };
            };
        };
    };
    drafts_id_destroy: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description The ETag of the draft as you have read it: the call is refused with 412 when it has changed since. */
                "If-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    drafts_id_partial_update: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description The ETag of the draft as you have read it: the call is refused with 412 when it has changed since. */
                "If-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedDraftChangesRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DraftOutput"];
                };
            };
        };
    };
    drafts_id_approve_approve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description The ETag of the draft as you have read it: the call is refused with 412 when it has changed since. */
                "If-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ExpectedVersionRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DraftOutput"];
                };
            };
        };
    };
    drafts_id_reject_reject: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description The ETag of the draft as you have read it: the call is refused with 412 when it has changed since. */
                "If-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RejectBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DraftOutput"];
                };
            };
        };
    };
    drafts_id_send_send: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description Makes it safe to send the request again: the same key with the same body is carried out once. */
                "Idempotency-Key"?: string;
                /** @description The ETag of the draft as you have read it: the call is refused with 412 when it has changed since. */
                "If-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ExpectedVersionRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DraftOutput"];
                };
            };
        };
    };
    drafts_id_submit_submit: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description The ETag of the draft as you have read it: the call is refused with 412 when it has changed since. */
                "If-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SubmitBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DraftOutput"];
                };
            };
        };
    };
    drafts_id_versions_list: {
        parameters: {
            query?: {
                against?: number;
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                limit?: number;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["VersionOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    environments_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["EnvironmentOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    environments_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EnvironmentBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvironmentOutput"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvironmentOutput"];
                };
            };
        };
    };
    environments_environment_members_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                environment: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["EnvironmentMemberOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    environments_environment_members_create: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                environment: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EnvironmentMemberBodyRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvironmentMemberOutput"];
                };
            };
        };
    };
    environments_environment_members_member_id_destroy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                environment: string;
                member_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    environments_environment_members_member_id_partial_update: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                environment: string;
                member_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedEnvironmentRoleBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvironmentMemberOutput"];
                };
            };
        };
    };
    environments_id_retrieve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvironmentOutput"];
                };
            };
        };
    };
    environments_id_destroy: {
        parameters: {
            query?: {
                force?: boolean;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    environments_id_partial_update: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedEnvironmentChangesRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvironmentOutput"];
                };
            };
        };
    };
    events_list: {
        parameters: {
            query?: {
                after?: string;
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                inbox_id?: string;
                limit?: number;
                types?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["EventOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    events_id_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventOutput"];
                };
            };
        };
    };
    events_stream_retrieve: {
        parameters: {
            query?: {
                after?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                event_types?: string;
                inbox_id?: string[];
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description As ``after``, which it overrules. */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                    "application/json": components["schemas"]["StreamOutput"];
                };
            };
        };
    };
    events_tickets_create: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TicketOutput"];
                };
            };
        };
    };
    filter_rules_list: {
        parameters: {
            query?: {
                /**
                 * @description * `allow` - allow
                 *     * `block` - block
                 */
                action?: "allow" | "block";
                /** @description next_cursor of the page before. */
                cursor?: string;
                /**
                 * @description * `send` - send
                 *     * `receive` - receive
                 */
                direction?: "send" | "receive";
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                inbox_id?: string;
                limit?: number;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["FilterRuleOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    filter_rules_create: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FilterRuleBodyRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilterRuleOutput"];
                };
            };
        };
    };
    filter_rules_id_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilterRuleOutput"];
                };
            };
        };
    };
    filter_rules_id_destroy: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    filter_rules_id_partial_update: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedFilterRuleChangesRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilterRuleOutput"];
                };
            };
        };
    };
    inboxes_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                limit?: number;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["InboxOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    inboxes_create: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["InboxBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxOutput"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxOutput"];
                };
            };
        };
    };
    inboxes_inbox_id_drafts_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                inbox_id?: string;
                /** @description * `body` - body */
                include?: "body";
                limit?: number;
                /**
                 * @description * `draft` - draft
                 *     * `pending_approval` - pending_approval
                 *     * `approved` - approved
                 *     * `rejected` - rejected
                 *     * `scheduled` - scheduled
                 *     * `sending` - sending
                 *     * `sent` - sent
                 *     * `failed` - failed
                 */
                state?: "draft" | "pending_approval" | "approved" | "rejected" | "scheduled" | "sending" | "sent" | "failed";
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                inbox_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["DraftOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    inboxes_inbox_id_drafts_create: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                inbox_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["DraftBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DraftOutput"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DraftOutput"];
                };
            };
        };
    };
    inboxes_inbox_id_messages_list: {
        parameters: {
            query?: {
                after?: string;
                before?: string;
                /** @description next_cursor of the page before. */
                cursor?: string;
                /**
                 * @description * `inbound` - inbound
                 *     * `outbound` - outbound
                 */
                direction?: "inbound" | "outbound";
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                from?: string;
                has_attachments?: boolean | null;
                /** @description * `body` - body */
                include?: "body";
                label?: string[];
                limit?: number;
                /** @description As the query of POST /search. */
                q?: string;
                /**
                 * @description * `received` - received
                 *     * `quarantined` - quarantined
                 *     * `queued` - queued
                 *     * `scheduled` - scheduled
                 *     * `sending` - sending
                 *     * `sent` - sent
                 *     * `delivered` - delivered
                 *     * `bounced` - bounced
                 *     * `complained` - complained
                 *     * `rejected` - rejected
                 *     * `failed` - failed
                 *     * `captured` - captured
                 */
                status?: "received" | "quarantined" | "queued" | "scheduled" | "sending" | "sent" | "delivered" | "bounced" | "complained" | "rejected" | "failed" | "captured";
                subject?: string;
                thread_id?: string;
                to?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                inbox_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["MessageOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    inboxes_inbox_id_messages_create: {
        parameters: {
            query?: {
                dry_run?: boolean;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description Makes it safe to send the request again: the same key with the same body is carried out once. */
                "Idempotency-Key"?: string;
            };
            path: {
                inbox_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SendBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanOutput"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageOutput"];
                };
            };
        };
    };
    inboxes_inbox_id_messages_batch_batch: {
        parameters: {
            query?: {
                dry_run?: boolean;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description Makes it safe to send the request again: the same key with the same body is carried out once. */
                "Idempotency-Key"?: string;
            };
            path: {
                inbox_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchSendBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchSendOutput"];
                };
            };
        };
    };
    inboxes_inbox_id_messages_wait_wait: {
        parameters: {
            query?: {
                /** @description Mail after the message with this id. */
                after?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                /** @description An address, or a name with one in angle brackets. */
                from?: string;
                /** @description Mail from this moment on; without it, from the call on. */
                since?: string;
                subject?: string;
                /** @description Seconds; 0 looks once. */
                timeout?: number;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                inbox_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArrivalOutput"];
                };
            };
        };
    };
    inboxes_inbox_id_simulate_create: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                inbox_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SimulateBodyRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageOutput"];
                };
            };
        };
    };
    inboxes_inbox_id_threads_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                label?: string[];
                limit?: number;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                inbox_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ThreadOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    inboxes_id_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxOutput"];
                };
            };
        };
    };
    inboxes_id_destroy: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    inboxes_id_partial_update: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedInboxChangesRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxOutput"];
                };
            };
        };
    };
    intake_list: {
        parameters: {
            query?: {
                after?: string;
                before?: string;
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                limit?: number;
                /**
                 * @description * `accepted` - accepted
                 *     * `quarantined` - quarantined
                 *     * `refused` - refused
                 *     * `deferred` - deferred
                 */
                outcome?: "accepted" | "quarantined" | "refused" | "deferred";
                /** @description The address that the mail was for. Without a plus tag it finds the address with any tag, too. */
                recipient?: string;
                /** @description The envelope sender, or the address in From. */
                sender?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["IntakeOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    intake_id_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IntakeOutput"];
                };
            };
        };
    };
    labels_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                limit?: number;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["LabelCount"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    me_retrieve: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeOutput"];
                };
            };
        };
    };
    messages_list: {
        parameters: {
            query?: {
                after?: string;
                before?: string;
                /** @description next_cursor of the page before. */
                cursor?: string;
                /**
                 * @description * `inbound` - inbound
                 *     * `outbound` - outbound
                 */
                direction?: "inbound" | "outbound";
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                from?: string;
                has_attachments?: boolean | null;
                /** @description * `body` - body */
                include?: "body";
                label?: string[];
                limit?: number;
                /** @description As the query of POST /search. */
                q?: string;
                /**
                 * @description * `received` - received
                 *     * `quarantined` - quarantined
                 *     * `queued` - queued
                 *     * `scheduled` - scheduled
                 *     * `sending` - sending
                 *     * `sent` - sent
                 *     * `delivered` - delivered
                 *     * `bounced` - bounced
                 *     * `complained` - complained
                 *     * `rejected` - rejected
                 *     * `failed` - failed
                 *     * `captured` - captured
                 */
                status?: "received" | "quarantined" | "queued" | "scheduled" | "sending" | "sent" | "delivered" | "bounced" | "complained" | "rejected" | "failed" | "captured";
                subject?: string;
                thread_id?: string;
                to?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["MessageOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    messages_id_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                /** @description * `codes` - codes */
                include?: "codes";
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageOutput"];
                };
            };
        };
    };
    messages_id_destroy: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    messages_id_partial_update: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedMessageChangesRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageOutput"];
                };
            };
        };
    };
    messages_id_cancel_cancel: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageOutput"];
                };
            };
        };
    };
    messages_id_forward_forward: {
        parameters: {
            query?: {
                dry_run?: boolean;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description Makes it safe to send the request again: the same key with the same body is carried out once. */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ForwardBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanOutput"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageOutput"];
                };
            };
        };
    };
    messages_id_labels_add_labels: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LabelsBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageOutput"];
                };
            };
        };
    };
    messages_id_labels_remove_labels: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LabelsBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageOutput"];
                };
            };
        };
    };
    messages_id_raw_raw: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "message/rfc822": string;
                };
            };
        };
    };
    messages_id_release_release: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageOutput"];
                };
            };
        };
    };
    messages_id_reply_reply: {
        parameters: {
            query?: {
                dry_run?: boolean;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description Makes it safe to send the request again: the same key with the same body is carried out once. */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ReplyBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanOutput"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageOutput"];
                };
            };
        };
    };
    messages_id_reply_all_reply_all: {
        parameters: {
            query?: {
                dry_run?: boolean;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
                /** @description Makes it safe to send the request again: the same key with the same body is carried out once. */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ReplyBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanOutput"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageOutput"];
                };
            };
        };
    };
    messages_id_timeline_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TimelineOutput"];
                };
            };
        };
    };
    messages_batch_get_batch_get: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchGetBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchOutput"];
                };
            };
        };
    };
    messages_batch_update_batch_update: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchUpdateBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchOutput"];
                };
            };
        };
    };
    org_retrieve: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganizationOutput"];
                };
            };
        };
    };
    org_partial_update: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedNameBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganizationOutput"];
                };
            };
        };
    };
    org_invitations_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["InvitationOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    org_invitations_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationBodyRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationOutput"];
                };
            };
        };
    };
    org_invitations_id_retrieve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationOutput"];
                };
            };
        };
    };
    org_invitations_id_destroy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    org_members_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["MemberOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    org_members_id_retrieve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberOutput"];
                };
            };
        };
    };
    org_members_id_destroy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    org_members_id_partial_update: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedRoleBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberOutput"];
                };
            };
        };
    };
    provider_webhooks_token_create: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    search_search: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                limit?: number;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SearchBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["MatchOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    suppressions_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                email?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                limit?: number;
                /**
                 * @description * `hard_bounce` - hard_bounce
                 *     * `unsubscribed` - unsubscribed
                 *     * `manual` - manual
                 *     * `complaint` - complaint
                 */
                reason?: "hard_bounce" | "unsubscribed" | "manual" | "complaint";
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["SuppressionOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    suppressions_create: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SuppressionBodyRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuppressionOutput"];
                };
            };
        };
    };
    suppressions_id_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuppressionOutput"];
                };
            };
        };
    };
    suppressions_id_destroy: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    threads_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                label?: string[];
                limit?: number;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["ThreadOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    threads_id_retrieve: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                limit?: number;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ThreadWithMessagesOutput"];
                };
            };
        };
    };
    threads_id_destroy: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    threads_id_partial_update: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedMessageChangesRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ThreadOutput"];
                };
            };
        };
    };
    threads_id_labels_add_labels: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LabelsBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ThreadOutput"];
                };
            };
        };
    };
    threads_id_labels_remove_labels: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LabelsBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ThreadOutput"];
                };
            };
        };
    };
    transport_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransportOutput"];
                };
            };
        };
    };
    transport_update: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransportOutput"];
                };
            };
        };
    };
    transport_destroy: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    unsubscribe_token_retrieve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    unsubscribe_token_create: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    uploads_id_update: {
        parameters: {
            query: {
                token: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadOutput"];
                };
            };
        };
    };
    usage_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                from?: string;
                /**
                 * @description * `day` - day
                 *     * `hour` - hour
                 *     * `month` - month
                 */
                interval?: "day" | "hour" | "month";
                to?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageOutput"];
                };
            };
        };
    };
    webhook_deliveries_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                event_id?: string;
                limit?: number;
                /**
                 * @description * `pending` - pending
                 *     * `delivered` - delivered
                 *     * `failed` - failed
                 */
                state?: "pending" | "delivered" | "failed";
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["DeliveryOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    webhook_deliveries_id_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeDeliveryOutput"];
                };
            };
        };
    };
    webhook_deliveries_id_retry_retry: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryOutput"];
                };
            };
        };
    };
    webhook_endpoints_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                limit?: number;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["EndpointOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    webhook_endpoints_create: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndpointBodyRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointOutput"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointOutput"];
                };
            };
        };
    };
    webhook_endpoints_id_retrieve: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointOutput"];
                };
            };
        };
    };
    webhook_endpoints_id_destroy: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No response body */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    webhook_endpoints_id_partial_update: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PatchedEndpointChangesRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointOutput"];
                };
            };
        };
    };
    webhook_endpoints_id_deliveries_list: {
        parameters: {
            query?: {
                /** @description next_cursor of the page before. */
                cursor?: string;
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
                event_id?: string;
                limit?: number;
                /**
                 * @description * `pending` - pending
                 *     * `delivered` - delivered
                 *     * `failed` - failed
                 */
                state?: "pending" | "delivered" | "failed";
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: components["schemas"]["DeliveryOutput"][];
                        has_more: boolean;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    webhook_endpoints_id_enable_enable: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointOutput"];
                };
            };
        };
    };
    webhook_endpoints_id_replay_replay: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayBodyRequest"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplayOutput"];
                };
            };
        };
    };
    webhook_endpoints_id_rotate_secret_rotate_secret: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointOutput"];
                };
            };
        };
    };
    webhook_endpoints_id_test_test: {
        parameters: {
            query?: {
                /** @description The environment of the call: an id or a slug. */
                environment_id?: string;
            };
            header?: {
                /** @description The environment of the call: an id or a slug. */
                "AgentPost-Environment"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SampleBodyRequest"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryOutput"];
                };
            };
        };
    };
}
