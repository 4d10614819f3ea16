/* capture/foreign.c - the name of what was opened in place of a capture.
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/file_int.h"

struct magic {
    size_t      offset;
    slice       bytes;
    const char *name;
};
#define MAGIC(offset, bytes, name) { offset, { bytes, sizeof(bytes) - 1 }, name }

static const struct magic magics[] = {
    /* captures of other programs, which editcap turns into pcapng */
    MAGIC(0, "snoop\0\0\0", "snoop capture"),
    MAGIC(0, "GMBU", "Microsoft Network Monitor 2 capture"),
    MAGIC(0, "RTSS", "Microsoft Network Monitor 1 capture"),
    MAGIC(0, "TRSNIFF data    \x1a", "Sniffer capture"),
    MAGIC(0, "XCP\0", "NetXRay capture"),
    MAGIC(0, "btsnoop\0", "Bluetooth snoop capture"),
    MAGIC(0, "\x7fver", "OmniPeek capture"),
    MAGIC(0, "\x05VNF", "Visual Networks capture"),
    MAGIC(0, "\xaa\xaa\xaa\xaa", "Accellent 5Views capture"),
    MAGIC(0, "iptrace ", "AIX iptrace capture"),
    MAGIC(0, "\x54\x52\x00\x64\x00", "HP-UX nettl trace"),
    MAGIC(0, "\x00\x00\x02\x00\x12\x05\x00\x10", "K12 capture"),
    MAGIC(0, "+---------+---------------+----------+", "K12 text capture"),
    MAGIC(0, "Session Transcript", "Catapult DCT2000 text log"),
    MAGIC(0, "MSNetworkMonitor", "Microsoft Network Monitor project"),
    MAGIC(0, "ElfFile\0", "Windows event log"),
    /* compressed files */
    MAGIC(0, "\x28\xb5\x2f\xfd", "zstd compressed file"),
    MAGIC(0, "\xfd" "7zXZ\0", "xz compressed file"),
    MAGIC(0, "BZh", "bzip2 compressed file"),
    MAGIC(0, "\x04\x22\x4d\x18", "lz4 compressed file"),
    MAGIC(0, "LZIP", "lzip compressed file"),
    MAGIC(0, "\x1f\x9d", "compress (.Z) compressed file"),
    MAGIC(0, "\x1f\x8b", "gzip file of an unknown method"),
    MAGIC(0, "PK\3\4", "ZIP archive"),
    MAGIC(0, "PK\5\6", "empty ZIP archive"),
    MAGIC(0, "7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    MAGIC(0, "Rar!\x1a\x07", "RAR archive"),
    MAGIC(0, "MSCF\0\0\0\0", "Windows cabinet archive"),
    MAGIC(257, "ustar", "tar archive"),
    /* everything else that is picked by mistake */
    MAGIC(0, "\x89PNG\r\n\x1a\n", "PNG image"),
    MAGIC(0, "\xff\xd8\xff", "JPEG image"),
    MAGIC(0, "GIF8", "GIF image"),
    MAGIC(8, "WEBP", "WebP image"),
    MAGIC(8, "WAVE", "WAV audio file"),
    MAGIC(8, "AVI ", "AVI video file"),
    MAGIC(0, "ID3", "MP3 audio file"),
    MAGIC(0, "OggS", "Ogg audio file"),
    MAGIC(0, "fLaC", "FLAC audio file"),
    MAGIC(0, ".snd", "Sun audio file"),
    MAGIC(0, "#!AMR", "AMR audio file"),
    MAGIC(0, "#!", "script"),
    MAGIC(4, "ftyp", "MP4 media file"),
    MAGIC(0, "\x1a\x45\xdf\xa3", "Matroska or WebM media file"),
    MAGIC(0, "%PDF-", "PDF document"),
    MAGIC(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Microsoft Office document"),
    MAGIC(0, "SQLite format 3\0", "SQLite database"),
    MAGIC(0, "\x7f" "ELF", "program (ELF)"),
    MAGIC(0, "MZ", "program (Windows)"),
    MAGIC(0, "\xef\xbb\xbf<?xml", "XML text"),
    MAGIC(0, "<?xml", "XML text"),
    MAGIC(0, "<!DOCTYPE", "HTML text"),
    MAGIC(0, "<!doctype", "HTML text"),
    MAGIC(0, "<html", "HTML text"),
    MAGIC(0, "<HTML", "HTML text"),
    MAGIC(0, "\xff\xfe", "UTF-16 text"),
    MAGIC(0, "\xfe\xff", "UTF-16 text"),
};

static const char *name_by_magic(slice start)
{
    for (size_t i = 0; i < ARRAY_LEN(magics); i++)
        if (slice_starts(slice_skip(start, magics[i].offset), magics[i].bytes))
            return magics[i].name;
    return NULL;
}

/* ERF has no magic: time in 8 bytes (little-endian fraction, then seconds), type, flags, and
 * the record's length in network order, with the next record behind it (Endace ERF types). */
static bool is_erf(slice start)
{
    uint32_t last_s = 0;
    int records = 0;

    while (start.len >= 16 && records < 4) {
        const uint8_t *at = (const uint8_t *)start.ptr;
        uint32_t s = (uint32_t)at[4] | (uint32_t)at[5] << 8 | (uint32_t)at[6] << 16 |
                     (uint32_t)at[7] << 24;
        size_t record_len = (size_t)at[10] << 8 | at[11];
        unsigned type = at[8] & 0x7f;

        if (type == 0 || type > 48 || record_len < 16 || s < 700000000 ||
            (records && (s < last_s || s - last_s > 86400)))
            return false;
        last_s = s;
        records++;
        start = slice_skip(start, record_len);
    }
    return records >= 2;
}

/* CommView (.ncf): lengths, version 0, year and the rest of a date, little-endian. */
static bool is_commview(slice start)
{
    const uint8_t *at = (const uint8_t *)start.ptr;
    unsigned year;

    if (start.len < 24)
        return false;
    year = at[5] | (unsigned)at[6] << 8;
    return at[4] == 0 && year >= 1990 && year <= 2100 && at[7] >= 1 && at[7] <= 12 && at[8] >= 1 &&
           at[8] <= 31 && at[9] < 24 && at[10] < 60 && at[11] < 61;
}

static bool is_bitmap(slice start)
{
    return slice_starts(start, SLICE("BM")) && start.len >= 18 &&
           memcmp(start.ptr + 6, "\0\0\0\0", 4) == 0;
}

static bool is_text(slice start)
{
    for (size_t i = 0; i < start.len; i++) {
        unsigned char c = (unsigned char)start.ptr[i];

        if ((c < 0x20 && !is_blank((char)c) && c != '\f' && c != 0x1b) || c == 0x7f)
            return false;
    }
    return start.len > 0;
}

static bool is_zeros(slice start)
{
    for (size_t i = 0; i < start.len; i++)
        if (start.ptr[i])
            return false;
    return start.len >= 16;
}

static const char *name_of_text(slice start)
{
    slice text = slice_trim(start);

    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_trim(slice_skip(text, 3));
    if (slice_starts(text, SLICE("{")) || slice_starts(text, SLICE("[")))
        return "JSON text";
    if (slice_starts(text, SLICE("<")))
        return "XML text";
    return "text";
}

const char *capture_foreign_name(slice start)
{
    const char *name = name_by_magic(start);

    if (name)
        return name;
    if (is_zeros(start))
        return "file of zeros";
    if (is_text(start))
        return name_of_text(start);
    if (is_bitmap(start))
        return "BMP image";
    if (is_erf(start))
        return "ERF capture";
    if (is_commview(start))
        return "CommView capture";
    return NULL;
}
