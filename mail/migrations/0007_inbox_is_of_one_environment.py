from django.db import migrations

# Else PostgreSQL multiplies the share of the environment by that of the inbox, takes a full inbox for a row or two, and
# sees no difference between reading it whole and looking one Message-ID up.
CREATE = """
CREATE STATISTICS inbox_is_of_one_environment (dependencies) ON environment_id, inbox_id, thread_id FROM mail_message;
ANALYZE mail_message;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('mail', '0006_sending'),
    ]

    operations = [
        migrations.RunSQL(CREATE, 'DROP STATISTICS inbox_is_of_one_environment'),
    ]
