namespace Post.Quic.Engine.InFlight;

/// <summary>
/// What was sent that someone wants to know the fate of. What needs no answer (PADDING, PATH_RESPONSE) is not
/// recorded.
/// </summary>
internal enum SentFrameKind : byte
{
    Ping,
    Ack,
    Crypto,
    Stream,
    ResetStream,
    ResetStreamAt,
    StopSending,
    MaxData,
    MaxStreamData,
    MaxStreamsBidirectional,
    MaxStreamsUnidirectional,
    DataBlocked,
    StreamDataBlocked,
    StreamsBlockedBidirectional,
    StreamsBlockedUnidirectional,
    NewConnectionId,
    RetireConnectionId,
    NewToken,
    HandshakeDone,
    Datagram,
    PathChallenge,
    AckFrequency,
    PathAbandon,
    PathStatus,
    MaxPathId,
    PathsBlocked,
    PathConnectionIdsBlocked,
}
