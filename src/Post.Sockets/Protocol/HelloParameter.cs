namespace Post.Sockets.Protocol;

/// <summary>The parameters that a HELLO may hold.</summary>
internal static class HelloParameter
{
    public const long MaxObjectSize = 0x00;
    public const long ReceiveBudget = 0x01;
    public const long ReceiptLevel = 0x02;
    public const long Features = 0x03;
    public const long MaxAntecedents = 0x04;
    public const long MaxWaiting = 0x05;
    public const long AssociationId = 0x06;
    public const long Resumes = 0x07;
    public const long LowestId = 0x08;
    public const long Held = 0x09;
    public const long Addresses = 0x0a;
}
