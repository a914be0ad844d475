using System.Globalization;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// Values of metric tags. Each comes from a closed list: a code that a peer chooses must not make a time series.
/// </summary>
internal static class MetricNames
{
    private const string None = "none";
    private const string Other = "other";

    public static string Of(CloseSource source, bool isApplication, ulong code) => source switch
    {
        CloseSource.Local when isApplication => "local_application",
        CloseSource.Local => code == 0 ? "local_no_error" : "local_error",
        CloseSource.Peer when isApplication => "peer_application",
        CloseSource.Peer => code == 0 ? "peer_no_error" : "peer_error",
        CloseSource.IdleTimeout => "idle_timeout",
        CloseSource.HandshakeTimeout => "handshake_timeout",
        CloseSource.StatelessReset => "stateless_reset",
        CloseSource.VersionNegotiation => "version_negotiation",
        CloseSource.NoViablePath => "no_viable_path",
        CloseSource.Unreachable => "unreachable",
        CloseSource.Abandoned => "abandoned",
        _ => Other,
    };

    public static string Of(EndpointDropReason reason) => reason switch
    {
        EndpointDropReason.Malformed => "malformed",
        EndpointDropReason.UnknownConnection => "unknown_connection",
        EndpointDropReason.TooShort => "too_short",
        EndpointDropReason.NotListening => "not_listening",
        EndpointDropReason.Saturated => "saturated",
        EndpointDropReason.RateLimited => "rate_limited",
        _ => Other,
    };

    public static string Of(PacketDropReason reason) => reason switch
    {
        PacketDropReason.Malformed => "malformed",
        PacketDropReason.UnknownConnectionId => "unknown_connection_id",
        PacketDropReason.UnexpectedVersion => "unexpected_version",
        PacketDropReason.KeysDiscarded => "keys_discarded",
        PacketDropReason.KeysUnavailable => "keys_unavailable",
        PacketDropReason.NotAuthentic => "not_authentic",
        PacketDropReason.Duplicate => "duplicate",
        PacketDropReason.Unexpected => "unexpected",
        PacketDropReason.UnknownPath => "unknown_path",
        _ => Other,
    };

    /// <summary>Why a path was given up (draft-ietf-quic-multipath-21 section 8).</summary>
    public static string PathReason(ulong code) => code switch
    {
        0 => None,
        (ulong)TransportErrorCode.ApplicationAbandonPath => "application",
        (ulong)TransportErrorCode.PathResourceLimitReached => "resource_limit",
        (ulong)TransportErrorCode.PathUnstableOrPoor => "unstable_or_poor",
        (ulong)TransportErrorCode.NoConnectionIdAvailableForPath => "no_connection_id",
        _ => Other,
    };

    /// <summary>The TLS alert that ended a handshake: its number, of which there are 256 at most.</summary>
    public static string Alert(in ConnectionCloseInfo info)
    {
        const ulong First = (ulong)TransportErrorCode.CryptoError;
        return info.IsApplication || info.ErrorCode is < First or > First + 0xff
            ? None
            : (info.ErrorCode - First).ToString(CultureInfo.InvariantCulture);
    }
}
