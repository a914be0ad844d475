using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>What is known of an authentic packet while its frames are read.</summary>
/// <param name="Level">The keys it was under.</param>
/// <param name="Number">Its packet number.</param>
/// <param name="Path">The path it came by.</param>
/// <param name="Network">The network of the path that it came over.</param>
/// <param name="LocalIdSequence">The sequence number of our id that it was sent to.</param>
/// <param name="KeyGeneration">Of 1-RTT: the generation of the keys that opened it.</param>
/// <param name="Ecn">What was left of the sender's mark.</param>
/// <param name="ArrivedAt">When it reached the machine.</param>
/// <param name="IsStray">It came from an address that we cannot answer: <paramref name="Network"/> is not its network.</param>
internal readonly record struct ReceivedPacket(
    EncryptionLevel Level,
    ulong Number,
    Path Path,
    Network Network,
    ulong LocalIdSequence,
    ulong KeyGeneration,
    EcnCodepoint Ecn,
    long ArrivedAt,
    bool IsStray);
