"""Making and shipping: stages with evidence, the shipment, the accepted delivery, and the page of an order."""
