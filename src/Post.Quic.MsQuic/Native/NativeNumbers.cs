namespace Post.Quic.MsQuic.Native;

/// <summary>The numbers of msquic's version 2 interface that the extras rely on.</summary>
internal static class NativeNumbers
{
    public const uint ApiVersion = 2;

    public const uint GlobalTlsProvider = 0x0100000A;

    public const uint ConnectionLocalAddress = 0x05000001;
    public const uint ConnectionSettings = 0x05000004;
    public const uint ConnectionDatagramReceiveEnabled = 0x0500000D;
    public const uint ConnectionDatagramSendEnabled = 0x0500000E;
    public const uint ConnectionResumptionTicket = 0x05000010;
    public const uint ConnectionStatisticsV2 = 0x05000016;
    public const uint StreamPriority = 0x08000003;

    public const int Connected = 0;
    public const int ShutdownComplete = 3;
    public const int PeerAddressChanged = 5;
    public const int DatagramStateChanged = 10;
    public const int DatagramReceived = 11;
    public const int DatagramSendStateChanged = 12;
    public const int ResumptionTicketReceived = 14;

    public const int DatagramSent = 1;
    public const int DatagramLostSuspect = 2;
    public const int DatagramLostDiscarded = 3;
    public const int DatagramAcknowledged = 4;
    public const int DatagramAcknowledgedSpurious = 5;
    public const int DatagramCanceled = 6;

    public const int ReceivedAsEarlyData = 1;

    /// <summary>QUIC_TLS_PROVIDER_OPENSSL; the other is Schannel.</summary>
    public const int TlsByOpenSsl = 1;

    /// <summary>Bit of the settings that says: the server's resumption level is given.</summary>
    public const int ServerResumptionLevelIsSet = 28;

    /// <summary>Where in the settings the level stands, with other flags in its byte.</summary>
    public const int ServerResumptionLevelOffset = 106;

    /// <summary>Tickets, but no early data.</summary>
    public const byte ServerResumeOnly = 1 << 4;

    public const byte ServerResumptionLevelMask = 3 << 4;

    public const int SettingsSize = 144;

    /// <summary>E_INVALIDARG; elsewhere EINVAL, on Linux and macOS alike.</summary>
    public static readonly int InvalidParameter = OperatingSystem.IsWindows() ? unchecked((int)0x80070057) : 22;

    /// <summary>E_NOT_VALID_STATE; elsewhere EPERM, on Linux and macOS alike.</summary>
    public static readonly int InvalidState = OperatingSystem.IsWindows() ? unchecked((int)0x8007139F) : 1;

    /// <summary>Whether a status is a success; PENDING is one.</summary>
    public static bool Succeeded(int status) => Succeeded(status, OperatingSystem.IsWindows());

    /// <summary>On Windows a status is an HRESULT, which fails below zero; elsewhere an errno or msquic's own, which fails above it.</summary>
    internal static bool Succeeded(int status, bool isWindows) => isWindows ? status >= 0 : status <= 0;
}
