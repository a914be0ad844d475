namespace Post.Quic.Engine.Connection;

/// <summary>
/// Every cap of the engine, each with its reason and the attack that it stops. What a user may set stands in the
/// options; what stands here holds whatever the options say.
/// </summary>
internal static class Limits
{
    /// <summary>
    /// Entries the log of sent frames keeps while nothing is in flight. Larger rings go back to the pool, so that
    /// 10,000 connections that were busy once do not hold what one busy connection needs.
    /// </summary>
    public const int SentFramesKeptWhenIdle = 4096;

    /// <summary>Entries the ring of sent packets keeps while nothing is in flight; the reason is the same.</summary>
    public const int SentPacketsKeptWhenIdle = 2048;

    /// <summary>
    /// Out-of-order pieces of one stream that cost nothing (CVE-2026-25800: tiny gapped STREAM frames). More must be
    /// earned with <see cref="StreamBytesPerExtraFragment"/>, so that bookkeeping stays a fraction of the data.
    /// </summary>
    public const int StreamFragments = 1024;

    /// <summary>
    /// Out-of-order bytes that earn one piece more. Honest senders fill packets of 1200 bytes and more, so a lossy
    /// path of any length stays far below the cap.
    /// </summary>
    public const int StreamBytesPerExtraFragment = 512;

    /// <summary>
    /// CRYPTO bytes accepted beyond what TLS has read (CVE-2024-1765; RFC 9000 section 7.5 asks for at least 4096). A
    /// chain of nine large certificates fits.
    /// </summary>
    public const int CryptoBytesAhead = 64 * 1024;

    /// <summary>Out-of-order pieces of CRYPTO data of one level: a flight has at most this many packets in 64 KiB.</summary>
    public const int CryptoFragments = 128;

    /// <summary>
    /// Memory an assembler may hold beyond twice the bytes in it before it packs them: small pieces that outlive
    /// their neighbours must not pin whole blocks.
    /// </summary>
    public const int AssemblerSlack = 32 * 1024;

    /// <summary>
    /// Blocks, segments and stream states of each kind that a connection keeps for reuse (some 100 bytes each, without
    /// their arrays): enough for steady churn, and nothing that a burst of streams leaves behind for good.
    /// </summary>
    public const int PooledStreamObjects = 1024;
}
