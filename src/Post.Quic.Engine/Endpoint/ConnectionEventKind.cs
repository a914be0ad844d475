namespace Post.Quic.Engine.Endpoint;

/// <summary>Which method of <see cref="QuicConnectionEvents"/> is to be called.</summary>
internal enum ConnectionEventKind : byte
{
    HandshakeComplete,
    EarlyDataDecided,
    DatagramReceived,
    DatagramState,
    MaxDatagramSizeChanged,
    StreamSendSettled,
    StreamStopped,
    WholeStreamSent,
    WholeStreamAcknowledged,
    WholeStreamStopped,
    WholeStreamReceived,
    StreamAccepted,
    PathChanged,
    SessionTicket,
    Closed,
}
