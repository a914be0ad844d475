using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// Everything the engine says to a logger. The event ids are part of the engine's face (docs/operating.md): they are
/// never given to another meaning. Nothing is said for each packet.
/// </summary>
internal static partial class EngineLog
{
    private const int MaxReason = 256;

    [LoggerMessage(1, LogLevel.Information, "Packets are protected by {Provider}", EventName = "CryptoProviderChosen")]
    public static partial void CryptoProviderChosen(ILogger logger, string provider);

    [LoggerMessage(2, LogLevel.Information, "Endpoint {Local} is open ({Transport})", EventName = "EndpointOpened")]
    public static partial void EndpointOpened(ILogger logger, EndPoint local, string transport);

    [LoggerMessage(3, LogLevel.Information, "Endpoint {Local} is closed", EventName = "EndpointClosed")]
    public static partial void EndpointClosed(ILogger logger, EndPoint local);

    [LoggerMessage(
        4, LogLevel.Error, "Endpoint {Local} cannot receive any more: connections that have no other socket end", EventName = "EndpointFailed")]
    public static partial void EndpointFailed(ILogger logger, Exception error, EndPoint local);

    [LoggerMessage(
        5, LogLevel.Warning, "Endpoint {Local} sends without GSO from here on: the kernel or the device refused it", EventName = "SegmentationOffloadLost")]
    public static partial void SegmentationOffloadLost(ILogger logger, EndPoint local);

    [LoggerMessage(
        6,
        LogLevel.Warning,
        "Clients of {Local} must prove their address from here on: {Handshakes} handshakes are under way",
        EventName = "RetryModeEntered")]
    public static partial void RetryModeEntered(ILogger logger, EndPoint local, int handshakes);

    [LoggerMessage(
        7, LogLevel.Information, "Clients of {Local} need no longer prove their address", EventName = "RetryModeLeft")]
    public static partial void RetryModeLeft(ILogger logger, EndPoint local);

    [LoggerMessage(
        8,
        LogLevel.Warning,
        "Endpoint {Local} turns clients away: {Handshakes} handshakes are under way",
        EventName = "ClientsTurnedAway")]
    public static partial void ClientsTurnedAway(ILogger logger, EndPoint local, int handshakes);

    [LoggerMessage(
        10,
        LogLevel.Debug,
        "Connection {Connection} is open: {Local} to {Remote}, version {Version}, {Protocol}, after {HandshakeMilliseconds} ms",
        EventName = "ConnectionOpened")]
    public static partial void ConnectionOpened(
        ILogger logger,
        ConnectionId connection,
        NetworkAddress local,
        NetworkAddress remote,
        QuicVersion version,
        string protocol,
        double handshakeMilliseconds);

    /// <summary>As below, with the peer's text made fit for a line of a log.</summary>
    public static void ConnectionClosed(ILogger logger, ConnectionId connection, in ConnectionCloseInfo info)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            ConnectionClosed(logger, connection, info.Source, info.IsApplication, info.ErrorCode, OneLine(info.Reason));
        }
    }

    /// <summary>As below, with the peer's text made fit for a line of a log.</summary>
    public static void HandshakeFailed(ILogger logger, ConnectionId connection, NetworkAddress remote, in ConnectionCloseInfo info)
    {
        if (logger.IsEnabled(LogLevel.Information))
        {
            HandshakeFailed(logger, connection, remote, info.Source, info.ErrorCode, OneLine(info.Reason));
        }
    }

    [LoggerMessage(
        11,
        LogLevel.Debug,
        "Connection {Connection} is closed: {Source}, application: {IsApplication}, code 0x{Code:x}, {Reason}",
        EventName = "ConnectionClosed")]
    private static partial void ConnectionClosed(
        ILogger logger, ConnectionId connection, CloseSource source, bool isApplication, ulong code, string reason);

    [LoggerMessage(
        12,
        LogLevel.Information,
        "Handshake {Connection} with {Remote} failed: {Source}, code 0x{Code:x}, {Reason}",
        EventName = "HandshakeFailed")]
    private static partial void HandshakeFailed(
        ILogger logger, ConnectionId connection, NetworkAddress remote, CloseSource source, ulong code, string reason);

    [LoggerMessage(
        13,
        LogLevel.Debug,
        "Path {Path} of connection {Connection}, {Local} to {Remote}: {Change}",
        EventName = "PathChanged")]
    public static partial void PathChanged(
        ILogger logger, ConnectionId connection, int path, NetworkAddress local, NetworkAddress remote, PathChange change);

    [LoggerMessage(
        14,
        LogLevel.Error,
        "A callback of the application threw in connection {Connection}: {Callback}",
        EventName = "CallbackFailed")]
    public static partial void CallbackFailed(ILogger logger, Exception error, ConnectionId connection, string callback);

    [LoggerMessage(
        15,
        LogLevel.Critical,
        "Connection {Connection} is given up after an error of the engine itself, or of a QuicConnectionEvents that threw: "
            + "please report the former",
        EventName = "ConnectionFaulted")]
    public static partial void ConnectionFaulted(ILogger logger, Exception error, ConnectionId connection);

    [LoggerMessage(
        16,
        LogLevel.Critical,
        "A datagram from {Remote} is dropped after an error of the engine itself: please report it",
        EventName = "DatagramFaulted")]
    public static partial void DatagramFaulted(ILogger logger, Exception error, NetworkAddress remote);

    [LoggerMessage(
        20, LogLevel.Warning, "The qlog of connection {Connection} could not be opened", EventName = "TraceNotOpened")]
    public static partial void TraceNotOpened(ILogger logger, Exception error, ConnectionId connection);

    [LoggerMessage(21, LogLevel.Warning, "A qlog could not be written and ends early", EventName = "TraceFailed")]
    public static partial void TraceFailed(ILogger logger, Exception error);

    /// <summary>A peer's reason could forge lines of a log with line breaks, or fill it.</summary>
    private static string OneLine(string reason) => string.Create(
        Math.Min(reason.Length, MaxReason),
        reason,
        static (line, text) =>
        {
            for (int i = 0; i < line.Length; i++)
            {
                line[i] = char.IsControl(text[i]) || char.GetUnicodeCategory(text[i]) == UnicodeCategory.Format ? '?' : text[i];
            }
        });
}
