using System.Globalization;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>The words that draft-ietf-quic-qlog-quic-events has for what the engine's enumerations say.</summary>
internal static class QlogNames
{
    public static ReadOnlySpan<byte> PacketType(EncryptionLevel level) => level switch
    {
        EncryptionLevel.Initial => "initial"u8,
        EncryptionLevel.EarlyData => "0RTT"u8,
        EncryptionLevel.Handshake => "handshake"u8,
        _ => "1RTT"u8,
    };

    public static ReadOnlySpan<byte> Key(EncryptionLevel level, bool server) => level switch
    {
        EncryptionLevel.Initial => server ? "server_initial_secret"u8 : "client_initial_secret"u8,
        EncryptionLevel.EarlyData => server ? "server_0rtt_secret"u8 : "client_0rtt_secret"u8,
        EncryptionLevel.Handshake => server ? "server_handshake_secret"u8 : "client_handshake_secret"u8,
        _ => server ? "server_1rtt_secret"u8 : "client_1rtt_secret"u8,
    };

    public static ReadOnlySpan<byte> State(ConnectionPhase phase) => phase switch
    {
        ConnectionPhase.Handshaking => "attempted"u8,
        ConnectionPhase.Established => "handshake_complete"u8,
        ConnectionPhase.Closing => "closing"u8,
        ConnectionPhase.Draining => "draining"u8,
        _ => "closed"u8,
    };

    public static ReadOnlySpan<byte> DropTrigger(PacketDropReason reason) => reason switch
    {
        PacketDropReason.Malformed => "invalid"u8,
        PacketDropReason.UnknownConnectionId => "connection_unknown"u8,
        PacketDropReason.UnexpectedVersion => "unsupported"u8,
        PacketDropReason.KeysDiscarded or PacketDropReason.KeysUnavailable => "key_unavailable"u8,
        PacketDropReason.NotAuthentic => "decryption_failure"u8,
        PacketDropReason.Duplicate => "duplicate"u8,
        PacketDropReason.Unexpected or PacketDropReason.UnknownPath => "rejected"u8,
        _ => "general"u8,
    };

    public static ReadOnlySpan<byte> CloseTrigger(CloseSource source, bool isApplication, ulong code) => source switch
    {
        CloseSource.IdleTimeout => "idle_timeout"u8,
        CloseSource.StatelessReset => "stateless_reset"u8,
        CloseSource.VersionNegotiation => "version_mismatch"u8,
        CloseSource.Local or CloseSource.Peer when isApplication => "application"u8,
        CloseSource.Local or CloseSource.Peer when code != 0 => "error"u8,
        CloseSource.Local or CloseSource.Peer => "unspecified"u8,
        _ => "aborted"u8,
    };

    public static ReadOnlySpan<byte> Ecn(EcnState state) => state switch
    {
        EcnState.Testing => "testing"u8,
        EcnState.Capable => "capable"u8,
        EcnState.Failed => "failed"u8,
        _ => "unknown"u8,
    };

    public static ReadOnlySpan<byte> Congestion(QlogCongestionState state) => state switch
    {
        QlogCongestionState.SlowStart => "slow_start"u8,
        QlogCongestionState.Recovery => "recovery"u8,
        _ => "congestion_avoidance"u8,
    };

    /// <summary>The name of a transport error, also of a TLS alert; null for a code without a name.</summary>
    public static string? TransportError(ulong code) => code switch
    {
        (ulong)TransportErrorCode.NoError => "no_error",
        (ulong)TransportErrorCode.InternalError => "internal_error",
        (ulong)TransportErrorCode.ConnectionRefused => "connection_refused",
        (ulong)TransportErrorCode.FlowControlError => "flow_control_error",
        (ulong)TransportErrorCode.StreamLimitError => "stream_limit_error",
        (ulong)TransportErrorCode.StreamStateError => "stream_state_error",
        (ulong)TransportErrorCode.FinalSizeError => "final_size_error",
        (ulong)TransportErrorCode.FrameEncodingError => "frame_encoding_error",
        (ulong)TransportErrorCode.TransportParameterError => "transport_parameter_error",
        (ulong)TransportErrorCode.ConnectionIdLimitError => "connection_id_limit_error",
        (ulong)TransportErrorCode.ProtocolViolation => "protocol_violation",
        (ulong)TransportErrorCode.InvalidToken => "invalid_token",
        (ulong)TransportErrorCode.ApplicationError => "application_error",
        (ulong)TransportErrorCode.CryptoBufferExceeded => "crypto_buffer_exceeded",
        (ulong)TransportErrorCode.KeyUpdateError => "key_update_error",
        (ulong)TransportErrorCode.AeadLimitReached => "aead_limit_reached",
        (ulong)TransportErrorCode.NoViablePath => "no_viable_path",
        (ulong)TransportErrorCode.ApplicationAbandonPath => "application_abandon_path",
        (ulong)TransportErrorCode.PathResourceLimitReached => "path_resource_limit_reached",
        (ulong)TransportErrorCode.PathUnstableOrPoor => "path_unstable_or_poor",
        (ulong)TransportErrorCode.NoConnectionIdAvailableForPath => "no_cid_available_for_path",
        >= (ulong)TransportErrorCode.CryptoError and <= (ulong)TransportErrorCode.CryptoError + 0xff =>
            string.Create(CultureInfo.InvariantCulture, $"crypto_error_0x{code:x}"),
        _ => null,
    };
}
