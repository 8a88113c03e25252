import express from "express";
import { expressApp } from "./express-app.js";

export default expressApp(express);
