/* capture/foreign.c - what was opened in place of a capture.
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture/file_int.h"

struct magic {
    size_t offset;
    slice  bytes;
    struct capture_looks looks;
};
#define MAGIC(offset, bytes, kind, name) { offset, { bytes, sizeof(bytes) - 1 }, { CAPTURE_##kind, name } }

static const struct magic magics[] = {
    /* captures of other programs, which editcap turns into pcapng */
    MAGIC(0, "snoop\0\0\0", LOOKS_CAPTURE, "snoop"),
    MAGIC(0, "GMBU", LOOKS_CAPTURE, "Microsoft Network Monitor 2"),
    MAGIC(0, "RTSS", LOOKS_CAPTURE, "Microsoft Network Monitor 1"),
    MAGIC(0, "TRSNIFF data    \x1a", LOOKS_CAPTURE, "Sniffer"),
    MAGIC(0, "XCP\0", LOOKS_CAPTURE, "NetXRay"),
    MAGIC(0, "btsnoop\0", LOOKS_CAPTURE, "Bluetooth snoop"),
    MAGIC(0, "\x7fver", LOOKS_CAPTURE, "OmniPeek"),
    MAGIC(0, "\x05VNF", LOOKS_CAPTURE, "Visual Networks"),
    MAGIC(0, "\xaa\xaa\xaa\xaa", LOOKS_CAPTURE, "Accellent 5Views"),
    MAGIC(0, "iptrace ", LOOKS_CAPTURE, "AIX iptrace"),
    MAGIC(0, "\x54\x52\x00\x64\x00", LOOKS_CAPTURE, "HP-UX nettl trace"),
    MAGIC(0, "\x00\x00\x02\x00\x12\x05\x00\x10", LOOKS_CAPTURE, "K12"),
    MAGIC(0, "+---------+---------------+----------+", LOOKS_CAPTURE, "K12 text"),
    MAGIC(0, "Session Transcript", LOOKS_CAPTURE, "Catapult DCT2000 text log"),
    MAGIC(0, "MSNetworkMonitor", LOOKS_CAPTURE, "Microsoft Network Monitor project"),
    MAGIC(0, "ElfFile\0", LOOKS_DOCUMENT, "Windows event log"),
    /* compressed files */
    MAGIC(0, "\x28\xb5\x2f\xfd", LOOKS_COMPRESSED, "zstd"),
    MAGIC(0, "\xfd" "7zXZ\0", LOOKS_COMPRESSED, "xz"),
    MAGIC(0, "BZh", LOOKS_COMPRESSED, "bzip2"),
    MAGIC(0, "\x04\x22\x4d\x18", LOOKS_COMPRESSED, "lz4"),
    MAGIC(0, "LZIP", LOOKS_COMPRESSED, "lzip"),
    MAGIC(0, "\x1f\x9d", LOOKS_COMPRESSED, "compress (.Z)"),
    MAGIC(0, "\x1f\x8b", LOOKS_COMPRESSED, "gzip"),
    MAGIC(0, "PK\3\4", LOOKS_ARCHIVE, "ZIP"),
    MAGIC(0, "PK\5\6", LOOKS_ARCHIVE, "ZIP"),
    MAGIC(0, "7z\xbc\xaf\x27\x1c", LOOKS_ARCHIVE, "7-Zip"),
    MAGIC(0, "Rar!\x1a\x07", LOOKS_ARCHIVE, "RAR"),
    MAGIC(0, "MSCF\0\0\0\0", LOOKS_ARCHIVE, "Windows cabinet"),
    MAGIC(257, "ustar", LOOKS_ARCHIVE, "tar"),
    /* everything else that is picked by mistake */
    MAGIC(0, "\x89PNG\r\n\x1a\n", LOOKS_IMAGE, "PNG"),
    MAGIC(0, "\xff\xd8\xff", LOOKS_IMAGE, "JPEG"),
    MAGIC(0, "GIF8", LOOKS_IMAGE, "GIF"),
    MAGIC(8, "WEBP", LOOKS_IMAGE, "WebP"),
    MAGIC(8, "WAVE", LOOKS_SOUND, "WAV"),
    MAGIC(8, "AVI ", LOOKS_VIDEO, "AVI"),
    MAGIC(0, "ID3", LOOKS_SOUND, "MP3"),
    MAGIC(0, "OggS", LOOKS_SOUND, "Ogg"),
    MAGIC(0, "fLaC", LOOKS_SOUND, "FLAC"),
    MAGIC(0, ".snd", LOOKS_SOUND, "Sun"),
    MAGIC(0, "#!AMR", LOOKS_SOUND, "AMR"),
    MAGIC(0, "#!", LOOKS_PROGRAM, "#!"),
    MAGIC(4, "ftyp", LOOKS_VIDEO, "MP4"),
    MAGIC(0, "\x1a\x45\xdf\xa3", LOOKS_VIDEO, "Matroska or WebM"),
    MAGIC(0, "%PDF-", LOOKS_DOCUMENT, "PDF"),
    MAGIC(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", LOOKS_DOCUMENT, "old Microsoft Office"),
    MAGIC(0, "SQLite format 3\0", LOOKS_DATABASE, "SQLite"),
    MAGIC(0, "\x7f" "ELF", LOOKS_PROGRAM, "ELF"),
    MAGIC(0, "MZ", LOOKS_PROGRAM, "Windows"),
    MAGIC(0, "\xef\xbb\xbf<?xml", LOOKS_TEXT, "XML"),
    MAGIC(0, "<?xml", LOOKS_TEXT, "XML"),
    MAGIC(0, "<!DOCTYPE", LOOKS_TEXT, "HTML"),
    MAGIC(0, "<!doctype", LOOKS_TEXT, "HTML"),
    MAGIC(0, "<html", LOOKS_TEXT, "HTML"),
    MAGIC(0, "<HTML", LOOKS_TEXT, "HTML"),
    MAGIC(0, "\xff\xfe", LOOKS_TEXT, "UTF-16"),
    MAGIC(0, "\xfe\xff", LOOKS_TEXT, "UTF-16"),
};

static const struct capture_looks *looks_by_magic(slice start)
{
    for (size_t i = 0; i < ARRAY_LEN(magics); i++)
        if (slice_starts(slice_skip(start, magics[i].offset), magics[i].bytes))
            return &magics[i].looks;
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
        return "JSON";
    if (slice_starts(text, SLICE("<")))
        return "XML";
    return "";
}

struct capture_looks capture_foreign_looks(slice start)
{
    const struct capture_looks *known = looks_by_magic(start);

    if (known)
        return *known;
    if (is_zeros(start))
        return (struct capture_looks){ CAPTURE_LOOKS_ZEROS, "" };
    if (is_text(start))
        return (struct capture_looks){ CAPTURE_LOOKS_TEXT, name_of_text(start) };
    if (is_bitmap(start))
        return (struct capture_looks){ CAPTURE_LOOKS_IMAGE, "BMP" };
    if (is_erf(start))
        return (struct capture_looks){ CAPTURE_LOOKS_CAPTURE, "ERF" };
    if (is_commview(start))
        return (struct capture_looks){ CAPTURE_LOOKS_CAPTURE, "CommView" };
    return (struct capture_looks){ CAPTURE_LOOKS_UNKNOWN, "" };
}
