namespace Post.Sockets.Protocol;

/// <summary>The frames of the control stream.</summary>
internal static class ControlFrameType
{
    public const long Hello = 0x00;
    public const long Receipt = 0x01;
    public const long Abandon = 0x02;
    public const long GoAway = 0x03;
    public const long Clock = 0x04;
    public const long StartAt = 0x05;

    public static bool IsKnown(long type) => type is >= Hello and <= StartAt;
}
