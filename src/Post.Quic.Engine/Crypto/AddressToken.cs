using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Crypto;

/// <summary>What a server learns from a token that it sealed earlier.</summary>
/// <param name="Kind">How the token reached the client.</param>
/// <param name="IssuedAt">Microseconds on the clock of whoever sealed it.</param>
/// <param name="OriginalDestinationConnectionId">Of a Retry token: what the client's first Initial was sent to.</param>
/// <param name="RetrySourceConnectionId">Of a Retry token: what the Retry asked the client to send to.</param>
internal readonly record struct AddressToken(
    AddressTokenKind Kind,
    long IssuedAt,
    ConnectionId OriginalDestinationConnectionId,
    ConnectionId RetrySourceConnectionId);
