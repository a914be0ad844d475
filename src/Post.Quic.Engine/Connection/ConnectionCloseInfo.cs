using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>Why a connection ended, for the application.</summary>
/// <param name="Source">Who or what ended it.</param>
/// <param name="IsApplication">The code is the application protocol's and not QUIC's.</param>
/// <param name="ErrorCode">The code of CONNECTION_CLOSE.</param>
/// <param name="FrameType">The frame a transport error blames; 0 for none.</param>
/// <param name="Reason">A phrase for a log. The peer's is untrusted text.</param>
internal readonly record struct ConnectionCloseInfo(
    CloseSource Source,
    bool IsApplication,
    ulong ErrorCode,
    ulong FrameType,
    string Reason)
{
    public static ConnectionCloseInfo FromError(in TransportError error) =>
        new(CloseSource.Local, false, (ulong)error.Code, error.FrameType, error.Reason);
}
